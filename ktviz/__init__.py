"""ktviz: which stored knowledge painted every pixel of a translated image?

The public names are imported when they are first used, so that `import ktviz` is quick and loads no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.5.0"

_HOMES = {
    "Abilities": "ktviz.trace.adapt",
    "adapt": "ktviz.trace.adapters",
    "Agreement": "ktviz.explain.origins",
    "agreement": "ktviz.explain.origins",
    "Adapted": "ktviz.trace.adapt",
    "attribute": "ktviz.explain.attribution",
    "Attribution": "ktviz.explain.attribution",
    "Audit": "ktviz.audit.audit",
    "attributes_figure": "ktviz.figures.attributes",
    "AttributesView": "ktviz.widgets.explorer",
    "Backtrack": "ktviz.explain.backtrack",
    "backtrack": "ktviz.explain.backtrack",
    "backtracking_figure": "ktviz.figures.backtracking",
    "BankUnion": "ktviz.library.kinds.patches.union",
    "Bench": "ktviz.workbench.result",
    "bench": "ktviz.workbench.bench",
    "BandView": "ktviz.widgets.explorer",
    "Box": "ktviz.regions",
    "Bridge": "ktviz.systems.bridge.system",
    "Catalogue": "ktviz.retrieval.catalogue",
    "Cluster": "ktviz.engines.cluster",
    "CoCosNet": "ktviz.systems.cocosnet.system",
    "Classes": "ktviz.labels",
    "CodeSpaceView": "ktviz.widgets.explorer",
    "code_space_figure": "ktviz.figures.code_space",
    "CodeUnion": "ktviz.library.kinds.codes.union",
    "compare": "ktviz.explain.counterfactual",
    "Compare": "ktviz.widgets.compare",
    "Comparison": "ktviz.explain.counterfactual",
    "Decoder": "ktviz.systems.kt.decoder",
    "Encoder": "ktviz.systems.kt.encoder",
    "Explorer": "ktviz.widgets.explorer",
    "Extension": "ktviz.retrieval.extension",
    "Faithfulness": "ktviz.explain.faithfulness",
    "faithfulness": "ktviz.explain.faithfulness",
    "ImageAnalogy": "ktviz.systems.image_analogy.system",
    "keygen": "ktviz.audit.keys",
    "KtvizError": "ktviz.errors",
    "levels_figure": "ktviz.figures.levels",
    "Library": "ktviz.library.library",
    "LibraryMap": "ktviz.widgets.library_map.library_map",
    "LibrarySettings": "ktviz.library.format",
    "options": "ktviz.widgets.options",
    "Origins": "ktviz.explain.origins",
    "origins": "ktviz.explain.origins",
    "match_shares": "ktviz.explain.bands",
    "Matches": "ktviz.retrieval.matches",
    "Material": "ktviz.systems.material",
    "Munit": "ktviz.systems.munit.system",
    "Pix2PixHD": "ktviz.systems.pix2pixhd.system",
    "PictureUnion": "ktviz.library.kinds.pictures.union",
    "Queries": "ktviz.retrieval.queries",
    "read_credentials": "ktviz.audit.credentials",
    "read_credits": "ktviz.library.credits",
    "read_image": "ktviz.images",
    "Reading": "ktviz.retrieval.site",
    "record": "ktviz.trace.record",
    "RetrievalSite": "ktviz.retrieval.site",
    "ReuseView": "ktviz.widgets.explorer",
    "reuse_figure": "ktviz.figures.reuse",
    "reweigh": "ktviz.explain.bands",
    "self_made_certificate": "ktviz.audit.certificates",
    "Settings": "ktviz.systems.kt.settings",
    "sign": "ktviz.audit.sign",
    "signing_key": "ktviz.audit.keys",
    "SourceRegion": "ktviz.regions",
    "SourceWarning": "ktviz.errors",
    "SourcesView": "ktviz.widgets.explorer",
    "styles_figure": "ktviz.figures.styles",
    "StylesView": "ktviz.widgets.explorer",
    "TableView": "ktviz.widgets.explorer",
    "TranslationView": "ktviz.widgets.explorer",
    "TreeView": "ktviz.widgets.explorer",
    "source_shares": "ktviz.systems.kt.shares",
    "Trace": "ktviz.trace.trace",
    "TraceStore": "ktviz.trace.store",
    "Translation": "ktviz.systems.kt.translation",
    "Translator": "ktviz.systems.kt.translator",
    "verify": "ktviz.audit.verify",
    "verify_files": "ktviz.audit.verdict",
    "without": "ktviz.explain.counterfactual",
    "Workbench": "ktviz.workbench.app.workbench",
    "write_credentials": "ktviz.audit.credentials",
    "write_exhibition": "ktviz.audit.exhibition",
    "write_image": "ktviz.images",
}

__all__ = ["__version__", *sorted(_HOMES)]

if TYPE_CHECKING:
    from ktviz.audit.audit import Audit as Audit
    from ktviz.audit.certificates import self_made_certificate as self_made_certificate
    from ktviz.audit.credentials import read_credentials as read_credentials
    from ktviz.audit.credentials import write_credentials as write_credentials
    from ktviz.audit.exhibition import write_exhibition as write_exhibition
    from ktviz.audit.keys import keygen as keygen
    from ktviz.audit.keys import signing_key as signing_key
    from ktviz.audit.sign import sign as sign
    from ktviz.audit.verdict import verify_files as verify_files
    from ktviz.audit.verify import verify as verify
    from ktviz.engines.cluster import Cluster as Cluster
    from ktviz.errors import KtvizError as KtvizError
    from ktviz.errors import SourceWarning as SourceWarning
    from ktviz.explain.attribution import Attribution as Attribution
    from ktviz.explain.attribution import attribute as attribute
    from ktviz.explain.backtrack import Backtrack as Backtrack
    from ktviz.explain.backtrack import backtrack as backtrack
    from ktviz.explain.bands import match_shares as match_shares
    from ktviz.explain.bands import reweigh as reweigh
    from ktviz.explain.counterfactual import Comparison as Comparison
    from ktviz.explain.counterfactual import compare as compare
    from ktviz.explain.counterfactual import without as without
    from ktviz.explain.faithfulness import Faithfulness as Faithfulness
    from ktviz.explain.faithfulness import faithfulness as faithfulness
    from ktviz.explain.origins import Agreement as Agreement
    from ktviz.explain.origins import Origins as Origins
    from ktviz.explain.origins import agreement as agreement
    from ktviz.explain.origins import origins as origins
    from ktviz.figures.attributes import attributes_figure as attributes_figure
    from ktviz.figures.backtracking import backtracking_figure as backtracking_figure
    from ktviz.figures.code_space import code_space_figure as code_space_figure
    from ktviz.figures.levels import levels_figure as levels_figure
    from ktviz.figures.reuse import reuse_figure as reuse_figure
    from ktviz.figures.styles import styles_figure as styles_figure
    from ktviz.images import read_image as read_image
    from ktviz.images import write_image as write_image
    from ktviz.labels import Classes as Classes
    from ktviz.library.credits import read_credits as read_credits
    from ktviz.library.format import LibrarySettings as LibrarySettings
    from ktviz.library.kinds.codes.union import CodeUnion as CodeUnion
    from ktviz.library.kinds.patches.union import BankUnion as BankUnion
    from ktviz.library.kinds.pictures.union import PictureUnion as PictureUnion
    from ktviz.library.library import Library as Library
    from ktviz.regions import Box as Box
    from ktviz.regions import SourceRegion as SourceRegion
    from ktviz.retrieval.catalogue import Catalogue as Catalogue
    from ktviz.retrieval.extension import Extension as Extension
    from ktviz.retrieval.matches import Matches as Matches
    from ktviz.retrieval.queries import Queries as Queries
    from ktviz.retrieval.site import Reading as Reading
    from ktviz.retrieval.site import RetrievalSite as RetrievalSite
    from ktviz.systems.bridge.system import Bridge as Bridge
    from ktviz.systems.cocosnet.system import CoCosNet as CoCosNet
    from ktviz.systems.image_analogy.system import ImageAnalogy as ImageAnalogy
    from ktviz.systems.kt.decoder import Decoder as Decoder
    from ktviz.systems.kt.encoder import Encoder as Encoder
    from ktviz.systems.kt.settings import Settings as Settings
    from ktviz.systems.kt.shares import source_shares as source_shares
    from ktviz.systems.kt.translation import Translation as Translation
    from ktviz.systems.kt.translator import Translator as Translator
    from ktviz.systems.material import Material as Material
    from ktviz.systems.munit.system import Munit as Munit
    from ktviz.systems.pix2pixhd.system import Pix2PixHD as Pix2PixHD
    from ktviz.trace.adapt import Abilities as Abilities
    from ktviz.trace.adapt import Adapted as Adapted
    from ktviz.trace.adapters import adapt as adapt
    from ktviz.trace.record import record as record
    from ktviz.trace.store import TraceStore as TraceStore
    from ktviz.trace.trace import Trace as Trace
    from ktviz.widgets.compare import Compare as Compare
    from ktviz.widgets.explorer import AttributesView as AttributesView
    from ktviz.widgets.explorer import BandView as BandView
    from ktviz.widgets.explorer import CodeSpaceView as CodeSpaceView
    from ktviz.widgets.explorer import Explorer as Explorer
    from ktviz.widgets.explorer import ReuseView as ReuseView
    from ktviz.widgets.explorer import SourcesView as SourcesView
    from ktviz.widgets.explorer import StylesView as StylesView
    from ktviz.widgets.explorer import TableView as TableView
    from ktviz.widgets.explorer import TranslationView as TranslationView
    from ktviz.widgets.explorer import TreeView as TreeView
    from ktviz.widgets.library_map.library_map import LibraryMap as LibraryMap
    from ktviz.widgets.options import options as options
    from ktviz.workbench.app.workbench import Workbench as Workbench
    from ktviz.workbench.bench import bench as bench
    from ktviz.workbench.result import Bench as Bench


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'ktviz' has no attribute {name!r}")
    try:
        return getattr(import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] == "ktviz":
            raise
        remedy = "Install all of ktviz: pip uninstall ktviz-read, then pip install ktviz"
        raise ModuleNotFoundError(f"ktviz.{name}: {error.name} is not installed. {remedy}.", name=error.name) from error


def __dir__() -> list[str]:
    return list(__all__)
