"""A signature names who vouches for an audit: one changed byte anywhere, or another key, and it does not hold."""

import base64
import json
import os
import re
import shutil
import stat
import subprocess
import sys

import pytest
from command import ktviz
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

import ktviz as kt
from ktviz.audit.audit import Audit
from ktviz.audit.differences import Difference
from ktviz.audit.envelope import PAYLOAD_TYPE, check_signature, encoded, statement
from ktviz.audit.folder import MANIFEST, SIGNATURE, manifest_bytes
from ktviz.audit.keys import public_key, signing_key
from ktviz.audit.removal import verify_removal
from ktviz.audit.sign import sign
from ktviz.audit.verify import verify
from ktviz.errors import AuditError, SigningError, StorageError
from ktviz.images import file_digest

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="no openssl here")


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Two pairs of keys, "ada" and "bob"."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ada", "bob"):
        kt.keygen(folder / name)
    return folder


@pytest.fixture(scope="module")
def signed(tmp_path_factory, world, paint, keys):
    """An audit, signed by Ada."""
    folder = tmp_path_factory.mktemp("signed") / "audit"
    Audit.create(world.translator.traced(paint(9)), model=world.translator, top=1, sample=10).save(folder)
    sign(folder, keys / "ada")
    return folder


@pytest.fixture
def folder(signed, tmp_path):
    """A copy that may be tampered with."""
    shutil.copytree(signed, tmp_path / "audit")
    return tmp_path / "audit"


@pytest.fixture
def check(world, keys):
    """Verify a folder with Ada's key, or another, or none."""

    def run(folder, key="ada.pub"):
        return verify(folder, world.library, model=world.translator, key=None if key is None else keys / key)

    return run


def flipped(data, offset, bit=1):
    return data[:offset] + bytes([data[offset] ^ bit]) + data[offset + 1 :]


def test_a_signed_audit_agrees_and_names_the_key(signed, check, keys):
    verdict = check(signed)
    assert verdict.ok, verdict.difference
    key_id = public_key(keys / "ada.pub").keyid
    assert f"signature: genuine, by the key given, key id {key_id}" in verdict.checks


def test_without_a_key_it_says_that_nobody_looked(signed, check, keys):
    verdict = check(signed, key=None)
    assert verdict.ok, verdict.difference
    (said,) = (line for line in verdict.checks if line.startswith("signature"))
    assert public_key(keys / "ada.pub").keyid in said
    assert "not checked" in said


def test_another_key_and_a_missing_signature_do_not_agree(folder, check):
    assert re.search(
        "signed by key id [0-9a-f]{64}, the key given has [0-9a-f]{64}", check(folder, "bob.pub").difference
    )
    (folder / SIGNATURE).unlink()
    assert "the audit is not signed" in check(folder).difference
    assert check(folder, key=None)


def test_a_signature_stands_for_a_removal_too(signed, world, keys):
    one = verify_removal(signed, world.folder, "d", model=world.translator, key=keys / "bob.pub")
    other = verify_removal(signed, world.folder, "d", model=world.translator, key=keys / "ada.pub")
    assert "the key given has" in one.difference
    assert "still holds" in other.difference


# One changed byte anywhere.


def test_no_byte_of_any_file_of_an_audit_can_change(folder, check):
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert SIGNATURE in names
    assert len(names) > 20
    for name in names:
        path = folder / name
        whole = path.read_bytes()
        offsets = {0, len(whole) // 3, len(whole) // 2, len(whole) - 1}
        damaged = [flipped(whole, offset, bit) for offset in sorted(offsets) for bit in (1, 0x20)]
        for data in (*damaged, whole[:-1], whole + b"\n", b""):
            path.write_bytes(data)
            verdict = check(folder)
            assert not verdict
            assert name in verdict.difference
        path.write_bytes(whole)
    assert check(folder)


def test_no_byte_of_the_envelope_can_change(folder, keys):
    key, path = public_key(keys / "ada.pub"), folder / SIGNATURE
    whole = path.read_bytes()
    start = whole.index(b"payloadType") - 10
    for offset in [*range(0, start, 11), *range(start, len(whole))]:
        path.write_bytes(flipped(whole, offset, 1 << offset % 7))
        with pytest.raises(Difference, match=re.escape(SIGNATURE)):
            check_signature(folder, key)
    path.write_bytes(whole)
    assert "genuine" in check_signature(folder, key)


def test_no_byte_of_the_public_key_can_change(signed, keys, tmp_path):
    whole = (keys / "ada.pub").read_bytes()
    for offset in range(len(whole)):
        (tmp_path / "key").write_bytes(flipped(whole, offset, 1 << offset % 7))
        with pytest.raises((SigningError, Difference)):
            check_signature(signed, public_key(tmp_path / "key"))
    (tmp_path / "key").write_bytes(whole.replace(b"\n", b"\r\n"))  # as mail may bring it
    assert check_signature(signed, public_key(tmp_path / "key"))


def test_a_forger_who_reseals_the_manifest_is_stopped_with_and_without_the_key(folder, check):
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_bytes(manifest_bytes({**manifest, "made": "1999-01-01"}))
    for key in ("ada.pub", None):
        assert f"what was signed is another {MANIFEST}" in check(folder, key).difference


def test_the_envelope_of_another_audit_does_not_pass(folder, check, world, paint, keys, tmp_path):
    other = tmp_path / "other"
    Audit.create(world.translator.traced(paint(8)), model=world.translator, top=0, sample=10).save(other)
    sign(other, keys / "ada")
    shutil.copy(other / SIGNATURE, folder)
    assert f"what was signed is another {MANIFEST}" in check(folder).difference


# The envelope is written in one way.


def resigned(folder, keys, payload, payload_type=PAYLOAD_TYPE, by=("ada",)):
    """An envelope that the holder of a key could make."""
    envelope = Envelope(payload, payload_type, {})
    for name in by:
        envelope.sign(signing_key(keys / name))
    (folder / SIGNATURE).write_bytes(encoded(envelope))


@pytest.mark.parametrize("key", ["ada.pub", None])
@pytest.mark.parametrize(
    ("forge", "named"),
    [
        (lambda e: {**e, "approved": True}, "was changed"),
        (lambda e: {**e, "signatures": [{**e["signatures"][0], "approved": True}]}, "was changed"),
        (lambda e: {**e, "signatures": e["signatures"] * 2}, "has 2 signatures, should have one"),
        (lambda e: {**e, "signatures": []}, "has 0 signatures"),
        (lambda e: {**e, "signatures": None}, "not a DSSE envelope"),
        (lambda e: {**e, "signatures": [7]}, "not a DSSE envelope"),
        (lambda e: {**e, "signatures": [{"keyid": "x", "sig": e["signatures"][0]["sig"]}]}, "was changed|signed by"),
        (lambda e: {**e, "payload": 7}, "not a DSSE envelope"),
        (lambda e: {**e, "payload": e["payload"] + "===="}, "not a DSSE envelope|was changed"),
        (lambda e: {**e, "payloadType": "text/plain"}, "was changed"),
        (lambda e: {name: e[name] for name in ("payload", "signatures")}, "not a DSSE envelope"),
        (lambda e: [e], "not a DSSE envelope"),
    ],
)
def test_an_envelope_has_a_closed_schema(folder, check, forge, named, key):
    envelope = json.loads((folder / SIGNATURE).read_text())
    (folder / SIGNATURE).write_text(json.dumps(forge(envelope), indent=1, sort_keys=True) + "\n")
    verdict = check(folder, key)
    assert SIGNATURE in verdict.difference
    assert re.search(named, verdict.difference)


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda data: data + b"\n",
        lambda data: data + b"{}",
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: json.dumps(json.loads(data)).encode(),
        lambda data: data.replace(b'{\n "payload"', b'{\n "payload": "",\n "payload"', 1),
        lambda data: data.replace(b'   "sig"', b'   "sig": "",\n   "sig"', 1),
        lambda data: data.replace(b"=", b"", 1),
        lambda data: re.sub(rb"([AQgw])==", lambda last: bytes([last[1][0] + 1]) + b"==", data),  # decodes to the same
        lambda data: b"[" * 50_000,
        lambda data: data.decode().encode("utf-16"),
        lambda data: b"\0" * 2_000_000,
    ],
)
def test_an_envelope_is_written_in_one_way(folder, check, rewrite):
    path = folder / SIGNATURE
    path.write_bytes(rewrite(path.read_bytes()))
    assert SIGNATURE in check(folder, key=None).difference


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes")
def test_the_envelope_is_a_plain_file(folder, keys):
    path = folder / SIGNATURE
    path.rename(folder.parent / "elsewhere.json")
    for make in (lambda: path.symlink_to(folder.parent / "elsewhere.json"), lambda: os.mkfifo(path)):
        make()
        with pytest.raises(Difference, match="not a plain file"):
            check_signature(folder, public_key(keys / "ada.pub"))
        path.unlink()


def test_two_keys_or_another_statement_do_not_pass_even_when_genuine(folder, check, keys):
    true = statement(folder)
    resigned(folder, keys, true, by=("ada", "bob"))
    assert "has 2 signatures" in check(folder).difference
    for payload in (true.replace(b"/audit/v1", b"/audit/v9"), true + b" ", b"no statement", b"{}"):
        resigned(folder, keys, payload)
        assert "what was signed is" in check(folder).difference
    resigned(folder, keys, true, payload_type="text/plain")
    assert "was changed" in check(folder).difference
    resigned(folder, keys, true)
    assert check(folder)


def test_the_other_spelling_of_a_signature_does_not_pass(folder, check):
    """S + L is S to careless verifiers, L the order of the group: another signature without the key."""
    path, order = folder / SIGNATURE, 2**252 + 27742317777372353535851937790883648493
    envelope = json.loads(path.read_text())
    whole = base64.b64decode(envelope["signatures"][0]["sig"])
    other = whole[:32] + (int.from_bytes(whole[32:], "little") + order).to_bytes(32, "little")
    envelope["signatures"][0]["sig"] = base64.b64encode(other).decode()
    path.write_text(json.dumps(envelope, indent=1, sort_keys=True) + "\n")
    assert "not genuine" in check(folder).difference


# Standard tools read it.


def by_hand(folder):
    """Payload, signature, and what was signed (the pre-authentication encoding of DSSE), without ktviz."""
    envelope = json.loads((folder / SIGNATURE).read_bytes())
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    signed = b" ".join((b"DSSEv1", b"%d" % len(kind), kind, b"%d" % len(payload), payload))
    return payload, base64.b64decode(envelope["signatures"][0]["sig"]), signed


def test_cryptography_alone_verifies_it_and_its_subjects_are_files(signed, keys):
    payload, signature, message = by_hand(signed)
    serialization.load_pem_public_key((keys / "ada.pub").read_bytes()).verify(signature, message)
    said = json.loads(payload)
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    digests = {subject["name"]: subject["digest"]["sha256"] for subject in said["subject"]}
    assert digests.keys() == {"manifest.json", "pictures/input.png", "pictures/output.png"}
    assert all(digest == file_digest(signed / name) for name, digest in digests.items())


def test_securesystemslib_verifies_it(signed, keys):
    envelope = Envelope.from_dict(json.loads((signed / SIGNATURE).read_text()))
    key = SSlibKey.from_crypto(serialization.load_pem_public_key((keys / "ada.pub").read_bytes()))
    assert envelope.payload_type == "application/vnd.in-toto+json"
    assert envelope.verify([key], threshold=1)


def openssl(*arguments):
    return subprocess.run([OPENSSL, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


@needs_openssl
def test_openssl_verifies_it(signed, keys, tmp_path):
    _, signature, message = by_hand(signed)
    (tmp_path / "message").write_bytes(message)
    (tmp_path / "signature").write_bytes(signature)
    files = ("-in", tmp_path / "message", "-sigfile", tmp_path / "signature")
    assert "Verified" in openssl("pkeyutl", "-verify", "-pubin", "-inkey", keys / "ada.pub", "-rawin", *files)


@needs_openssl
def test_keys_of_openssl_sign_and_check(folder, check, tmp_path, keys):
    (folder / SIGNATURE).unlink()
    openssl("genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:secret words", "-out", tmp_path / "key")
    openssl("pkey", "-in", tmp_path / "key", "-passin", "pass:secret words", "-pubout", "-out", tmp_path / "key.pub")
    sign(folder, signing_key(tmp_path / "key", passphrase="secret words"))
    assert check(folder, tmp_path / "key.pub")
    assert openssl("pkey", "-in", keys / "ada", "-pubout") == (keys / "ada.pub").read_text()


# Keys.


def test_a_private_key_is_private_and_never_overwritten(tmp_path):
    key_id = kt.keygen(tmp_path / "new" / "ada")
    assert (
        key_id == public_key(tmp_path / "new" / "ada.pub").keyid == signing_key(tmp_path / "new/ada").public_key.keyid
    )
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "new" / "ada").stat().st_mode) == 0o600
    before = (tmp_path / "new" / "ada").read_bytes()
    with pytest.raises(StorageError, match="never overwritten"):
        kt.keygen(tmp_path / "new" / "ada")
    assert (tmp_path / "new" / "ada").read_bytes() == before
    (tmp_path / "bob.pub").write_text("something else")
    with pytest.raises(StorageError, match=r"bob\.pub"):
        kt.keygen(tmp_path / "bob")
    assert not (tmp_path / "bob").exists()


def test_a_passphrase_locks_a_key(tmp_path, monkeypatch):
    path = tmp_path / "ada"
    key_id = kt.keygen(path, passphrase="nûr für mich")
    assert b"ENCRYPTED" in path.read_bytes()
    with pytest.raises(SigningError, match=r"is encrypted.*KTVIZ_PASSPHRASE"):
        signing_key(path)
    with pytest.raises(SigningError, match="passphrase is another one"):
        signing_key(path, passphrase="nur für mich")
    assert signing_key(path, passphrase=lambda: "nûr für mich").public_key.keyid == key_id
    monkeypatch.setenv("KTVIZ_PASSPHRASE", "nûr für mich")
    assert signing_key(path).public_key.keyid == key_id
    with pytest.raises(SigningError, match="empty passphrase"):
        kt.keygen(tmp_path / "bob", passphrase="")


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("RSA", lambda: rsa.generate_private_key(65537, 2048)),
        ("EC|Elliptic", lambda: ec.generate_private_key(ec.SECP256R1())),
        ("X25519", x25519.X25519PrivateKey.generate),
        ("Ed448", ed448.Ed448PrivateKey.generate),
    ],
)
def test_other_kinds_of_keys_are_refused(tmp_path, kind, make):
    none, pem, key = serialization.NoEncryption(), serialization.Encoding.PEM, make()
    (tmp_path / "key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, none))
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pub").write_bytes(public)
    with pytest.raises(SigningError, match=f"not Ed25519 .*({kind})"):
        signing_key(tmp_path / "key")
    with pytest.raises(SigningError, match=f"not Ed25519 .*({kind})"):
        public_key(tmp_path / "key.pub")


def test_what_is_no_key_is_refused_in_one_sentence(keys, tmp_path):
    with pytest.raises(SigningError, match="it is a public key"):
        signing_key(keys / "ada.pub")
    with pytest.raises(SigningError, match="it is a private key"):
        public_key(keys / "ada")
    raw = ed25519.Ed25519PrivateKey.generate().private_bytes_raw()
    text = (keys / "ada").read_bytes()
    for data in (
        b"",
        b"\0" * 100,
        raw,
        text[:-40],
        text.replace(b"M", b"?"),
        b"x" * 100_000,
        b"-----BEGIN PRIVATE KEY-----",
    ):
        (tmp_path / "bad").write_bytes(data)
        for read in (signing_key, public_key):
            with pytest.raises(SigningError, match="bad"):
                read(tmp_path / "bad")
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(SigningError, match=f"key '{re.escape(str(path))}': (no such file|is a directory)"):
            signing_key(path)
    (tmp_path / "two.pub").write_bytes((keys / "ada.pub").read_bytes() + (keys / "bob.pub").read_bytes())
    with pytest.raises(SigningError, match="something else is in the file"):
        public_key(tmp_path / "two.pub")


# What is signed.


def test_only_a_whole_audit_is_signed_and_only_once(folder, keys, tmp_path):
    with pytest.raises(SigningError, match="signed already"):
        sign(folder, keys / "bob")
    (folder / SIGNATURE).unlink()
    (folder / "report.html").write_text("another")
    with pytest.raises(AuditError, match=r"report\.html was changed"):
        sign(folder, keys / "ada")
    assert not (folder / SIGNATURE).exists()
    with pytest.raises(AuditError, match=r"no manifest\.json"):
        sign(tmp_path / "nowhere", keys / "ada")


# The commands.


def run(*arguments):
    """Exit code, and all that was printed."""
    done = ktviz(*arguments, check=False)
    return done.returncode, done.stdout + done.stderr


def test_keygen_audit_and_verify_on_the_command_line(tmp_path, paint, save, monkeypatch):
    photo = save(tmp_path / "photo.png", paint(9))
    save(tmp_path / "works" / "a.png", paint(1))
    key, library, audit = tmp_path / "ada", tmp_path / "l.ktlib", tmp_path / "audit"
    assert run("library", "build", library, "-b", "art/x", tmp_path / "works", "--side", 64, "-q")[0] == 0
    code, printed = run("keygen", key)
    assert code == 0
    (key_id,) = re.findall(r"\b[0-9a-f]{64}\b", printed)
    assert run("keygen", key)[0] == 8

    made = ("audit", photo, "-l", library, "-b", "art", "-o", audit, "--top", 0, "--sample", 5)
    code, printed = run(*made, "--sign", tmp_path / "missing")
    assert (code, audit.exists()) == (14, False)  # before the work
    assert "no such file" in printed
    code, printed = run(*made, "--sign", key)
    assert code == 0
    assert f"signed by key id {key_id}" in printed

    code, printed = run("verify", audit, "-l", library, "--key", tmp_path / "ada.pub")
    assert code == 0
    assert "genuine" in printed
    code, printed = run("verify", audit, "-l", library)
    assert code == 0
    assert f"by key id {key_id}; not checked" in printed
    monkeypatch.setenv("KTVIZ_PASSPHRASE", "secret")
    assert "(encrypted)" in run("keygen", tmp_path / "bob")[1]
    code, printed = run("verify", audit, "-l", library, "--key", tmp_path / "bob.pub")
    assert code == 1
    assert "the key given has" in printed
    code, printed = run("verify", audit, "-l", library, "--key", photo)
    assert code == 14
    assert "not a public key" in printed
    (audit / SIGNATURE).unlink()
    code, printed = run("verify", audit, "-l", library, "--key", tmp_path / "ada.pub")
    assert code == 1
    assert "not signed" in printed
