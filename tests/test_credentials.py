"""Content credentials: what a picture says that it was made of, read back by the library of those who made C2PA."""

import json
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import c2pa
import numpy as np
import pytest
from command import ktviz
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from PIL import Image

import ktviz as kt
from ktviz.audit import credentials
from ktviz.audit.certificates import read_pair
from ktviz.errors import AuditError, MissingAuditError, MissingKeyError, SigningError, StorageError
from ktviz.images import read_image

UNTRUSTED = "signingCredential.untrusted"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A certificate and its key."""
    key = tmp_path_factory.mktemp("keys") / "ann.key"
    return kt.self_made_certificate(key, "Ann Ämter"), key


@pytest.fixture(scope="module")
def trace(world, paint):
    return world.translator.traced(paint(3, 96, 128))


def check_claim(path, trace):
    """What a reader of others finds in a picture: one ingredient per work of a trace, with its share."""
    with c2pa.Reader(path) as reader:
        said = json.loads(reader.json())
    assert said["validation_state"] == "Valid"
    assert [status["code"] for status in said["validation_status"]] == [UNTRUSTED]
    manifest = said["manifests"][said["active_manifest"]]
    sources = trace.sources().query("share > 0")
    ingredients = manifest["ingredients"]
    assert [one["metadata"]["org.ktviz.work"]["source"] for one in ingredients] == sources["source"].tolist()
    assert {one["relationship"] for one in ingredients} == {"inputTo"}
    for one, row in zip(ingredients, sources.to_dict("records"), strict=True):
        work = one["metadata"]["org.ktviz.work"]
        assert work["share"] == pytest.approx(row["share"], abs=1e-12)
        assert (work["licence"], work["sha256"]) == (row["licence"], row["sha256"])
        assert f"{row['share']:.1%}" in one["description"]
    (made,) = [one["data"]["actions"][0] for one in manifest["assertions"] if one["label"] == "c2pa.actions.v2"]
    assert made["digitalSourceType"].endswith("compositeWithTrainedAlgorithmicMedia")


@pytest.mark.parametrize("name", ["out.png", "out.jpg", "out.webp"])
def test_a_reader_of_others_finds_one_ingredient_per_work_with_its_share(name, trace, pair, tmp_path):
    kt.write_credentials(tmp_path / name, trace, *pair)
    check_claim(tmp_path / name, trace)


def test_what_is_read_back_is_what_the_trace_says(trace, pair, tmp_path):
    kt.write_credentials(tmp_path / "out.png", trace, *pair)
    found = kt.read_credentials(tmp_path / "out.png")
    assert (found.state, found.remarks, found.signer) == ("Valid", (UNTRUSTED,), "Ann Ämter")
    sources = trace.sources().query("share > 0")
    assert found.works["source"].tolist() == sources["source"].tolist()
    assert found.works["share"].tolist() == pytest.approx(sources["share"].tolist(), abs=1e-12)
    assert found.about["trace"] == trace.digest
    assert sum(found.about["lacking"].values()) + found.works["share"].sum() == pytest.approx(1)
    assert np.array_equal(read_image(tmp_path / "out.png"), trace.output)  # the claim costs no pixel


def test_an_audit_says_the_same(world, trace, pair, tmp_path):
    audit = kt.Audit.create(trace, title="A", model=world.translator, top=1)
    audit.write_credentials(tmp_path / "out.png", *pair)
    saved = tmp_path / "audit"
    audit.save(saved)
    kt.Audit.open(saved).write_credentials(tmp_path / "again.png", *pair)  # without the model: from its own pictures
    one, other = (kt.read_credentials(tmp_path / name) for name in ("out.png", "again.png"))
    assert one.works.equals(other.works)
    assert one.about == other.about


def test_a_changed_picture_is_no_longer_valid(trace, pair, tmp_path):
    kt.write_credentials(tmp_path / "out.png", trace, *pair)
    data = bytearray((tmp_path / "out.png").read_bytes())
    at = data.rindex(b"IDAT") + 40
    data[at] ^= 1
    (tmp_path / "out.png").write_bytes(data)
    found = kt.read_credentials(tmp_path / "out.png")
    assert found.state == "Invalid"
    assert any("mismatch" in remark for remark in found.remarks)


def test_a_trusted_authority_makes_the_signer_trusted(trace, pair, tmp_path):
    kt.write_credentials(tmp_path / "out.png", trace, *pair)
    authority = pair[0].read_text().partition("-----END CERTIFICATE-----\n")[2]
    settings = {"trust": {"user_anchors": authority}, "verify": {"verify_trust": True}}
    with (
        c2pa.Context(c2pa.Settings.from_dict(settings)) as context,
        c2pa.Reader(tmp_path / "out.png", context=context) as reader,
    ):
        assert json.loads(reader.json())["validation_state"] == "Trusted"


def test_hostile_names_and_credits_stay_text(world, pair, tmp_path):
    evil = '<script>alert(1)</script> "}]'
    trace = world.translator.traced(np.zeros((64, 64, 3), np.uint8))
    for source in trace.about["sources"]:
        source["title"] = evil
    kt.write_credentials(tmp_path / "out.png", trace, *pair)
    assert {*kt.read_credentials(tmp_path / "out.png").works["title"]} == {evil}


def test_what_cannot_be_signed_or_read_says_why(trace, pair, tmp_path, monkeypatch):
    with pytest.raises(AuditError, match="no kind of file"):
        kt.write_credentials(tmp_path / "out.tif", trace, *pair)
    with pytest.raises(MissingKeyError):
        kt.write_credentials(tmp_path / "out.png", trace, pair[0], tmp_path / "none.key")
    other = tmp_path / "other.key"
    kt.self_made_certificate(other, "Bob")
    with pytest.raises(SigningError, match="of another key"):
        kt.write_credentials(tmp_path / "out.png", trace, pair[0], other)
    with pytest.raises(SigningError, match="no certificate and key in PEM"):
        kt.write_credentials(tmp_path / "out.png", trace, pair[1], pair[1])
    kt.keygen(tmp_path / "audit.key")
    with pytest.raises(SigningError, match="P-256"):
        kt.write_credentials(tmp_path / "out.png", trace, pair[0], tmp_path / "audit.key")
    assert not (tmp_path / "out.png").exists()
    with pytest.raises(MissingAuditError):
        kt.read_credentials(tmp_path / "out.png")
    kt.write_image(tmp_path / "plain.png", trace.output)
    with pytest.raises(AuditError, match="carries none"):
        kt.read_credentials(tmp_path / "plain.png")
    with pytest.raises(StorageError, match="never overwritten"):
        kt.self_made_certificate(other, "Bob")
    monkeypatch.setitem(__import__("sys").modules, "c2pa", None)
    with pytest.raises(SigningError, match="pip install c2pa-python"):
        kt.read_credentials(tmp_path / "plain.png")


@pytest.mark.parametrize("name", ["", "n" * 65, "ö" * 64, "\ud800", "a\nb", "  "])
def test_a_name_that_no_certificate_holds_is_refused_and_nothing_is_left(name, tmp_path):
    with pytest.raises(SigningError, match="1 to 64 bytes"):
        kt.self_made_certificate(tmp_path / "a.key", name)
    assert [*tmp_path.iterdir()] == []


def test_a_self_made_certificate_is_what_c2pa_asks_for(pair):
    chain = x509.load_pem_x509_certificates(read_pair(*pair)[0])
    leaf, authority = chain
    assert leaf.issuer == authority.subject
    leaf.verify_directly_issued_by(authority)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert pair[1].stat().st_mode & 0o077 == 0


@pytest.fixture(scope="module")
def library(paint, save, tmp_path_factory):
    """Two works in a library that the shipped networks made."""
    folder = tmp_path_factory.mktemp("works")
    for number, name in enumerate("ab"):
        save(folder / "in" / f"{name}.png", paint(number, 96, 96))
    (folder / "credits.csv").write_text("file,title,creator,licence\na.png,Sea,Ann,CC BY 4.0\nb.png,Hill,Ben,CC0\n")
    credits = "--credits", folder / "credits.csv"
    ktviz("library", "build", folder / "works.ktlib", folder / "in", "-b", "art/works", "--side", 72, *credits, "-q")
    return folder / "works.ktlib"


@pytest.mark.parametrize("name", ["out.png", "out.jpg"])
def test_the_command_line_writes_and_reads_them(name, library, paint, pair, tmp_path):
    kt.write_image(tmp_path / "photo.png", paint(4, 96, 96))
    asked = ("translate", tmp_path / "photo.png", "-l", library, "-b", "art/works", "-o", tmp_path / name)
    ktviz(*asked, "--trace", "--c2pa", *pair, "-q")
    (path,) = tmp_path.glob("*.parquet")
    trace = kt.Trace.open(path)
    assert len(trace.sources().query("share > 0")) == 2
    check_claim(tmp_path / name, trace)
    read = json.loads(ktviz("credentials", tmp_path / name, "--json").stdout)
    assert (read["state"], read["signer"], read["about"]["trace"]) == ("Valid", "Ann Ämter", trace.digest)
    assert [(work["title"], work["creator"]) for work in read["works"]] == [
        (row["title"], row["creator"]) for row in trace.sources().to_dict("records")
    ]


def test_the_command_line_refuses_a_kind_of_file_that_holds_no_claim(world, paint, pair, tmp_path):
    kt.write_image(tmp_path / "photo.png", paint(4, 96, 96))
    asked = ("translate", tmp_path / "photo.png", "-l", world.library.folder, "-b", next(iter(world.library)))
    refused = ktviz(*asked, "-o", tmp_path / "o.tif", "--c2pa", *pair, check=False)
    assert refused.returncode == 2
    assert "no kind of file" in refused.stderr


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda claim: claim["works"][0].update(share=0.9), "say different shares"),
        (lambda claim: claim.update(lacking={"a": "b"}), "no number"),
        (lambda claim: claim.update(lacking=5), "no table of shares"),
        (lambda claim: claim.clear(), "no table of shares"),
    ],
)
def test_a_claim_that_says_two_things_or_nonsense_is_refused(trace, pair, tmp_path, monkeypatch, change, found):
    true = credentials.claim

    def false(*given):
        said = true(*given)
        change(said["assertions"][1]["data"])
        return said

    monkeypatch.setattr(credentials, "claim", false)
    kt.write_credentials(tmp_path / "out.png", trace, *pair)
    with pytest.raises(AuditError, match=f"broken .*{found}"):
        kt.read_credentials(tmp_path / "out.png")


@pytest.mark.parametrize("said", ["text", 5, [1], {"source": "evil", "share": 0.9}])
def test_an_ingredient_that_is_none_is_refused(trace, pair, tmp_path, monkeypatch, said):
    true = credentials.ingredient
    monkeypatch.setattr(credentials, "ingredient", lambda work: {**true(work), "metadata": {credentials.WORK: said}})
    kt.write_credentials(tmp_path / "out.png", trace, *pair)
    with pytest.raises(AuditError, match="a work lacks a part"):
        kt.read_credentials(tmp_path / "out.png")


def test_reading_and_signing_ask_no_address_that_a_picture_names(trace, pair, tmp_path):
    asked = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/track.c2pa"
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" '
        f'dcterms:provenance="{address}"/></rdf:RDF></x:xmpmeta>'
    )
    Image.fromarray(trace.output).save(tmp_path / "bait.jpg", xmp=xmp.encode())
    with pytest.raises(AuditError):
        kt.read_credentials(tmp_path / "bait.jpg")
    bait = (tmp_path / "bait.jpg").read_bytes()
    thumbs = dict.fromkeys(trace.sources()["source"], bait)
    with suppress(SigningError):
        kt.write_credentials(tmp_path / "out.png", trace, *pair, thumbs=thumbs)
    server.shutdown()
    assert asked == []


def test_a_changed_picture_says_so_where_its_table_stands(trace, pair, tmp_path):
    kt.write_credentials(tmp_path / "out.png", trace, *pair)
    data = bytearray((tmp_path / "out.png").read_bytes())
    data[data.rindex(b"IDAT") + 40] ^= 1
    (tmp_path / "out.png").write_bytes(data)
    done = ktviz("credentials", tmp_path / "out.png", check=False)
    assert done.returncode == 1
    assert "INVALID" in done.stdout.splitlines()[0]


def test_a_key_as_openssl_writes_it_will_do(trace, pair, tmp_path):
    key = serialization.load_pem_private_key(pair[1].read_bytes(), None)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    (tmp_path / "sec1.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    )
    kt.write_credentials(tmp_path / "out.png", trace, pair[0], tmp_path / "sec1.key")
    assert kt.read_credentials(tmp_path / "out.png").state == "Valid"
