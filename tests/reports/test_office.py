"""The Word file and the deck open in LibreOffice, hostile names and all."""

import os
import shutil
import subprocess

import pytest

from modelwright.reports.as_docx import docx_of
from modelwright.reports.slides import pptx_of
from modelwright.reports.sources import stamp
from modelwright.reports.validation import validation

pytestmark = [pytest.mark.server, pytest.mark.slow]


@pytest.mark.parametrize("name", ["binary", "hostile"])
def test_libreoffice_opens_both(views, tmp_path, name):
    office, pypdf = shutil.which("soffice"), pytest.importorskip("pypdf")
    if office is None:
        pytest.skip("LibreOffice is not installed")
    view = views[name]
    prose = validation(view)
    (tmp_path / "document.docx").write_bytes(docx_of(prose, stamp(view, "document"), {}))
    (tmp_path / "slides.pptx").write_bytes(pptx_of(view, stamp(view, "slides")))
    words = [office, "--headless", "--convert-to", "pdf", "--outdir", tmp_path]
    files = [tmp_path / "document.docx", tmp_path / "slides.pptx"]
    environment = {**os.environ, "HOME": str(tmp_path)}
    subprocess.run([*words, *files], check=True, capture_output=True, env=environment, timeout=240)
    document, deck = (pypdf.PdfReader(path.with_suffix(".pdf")) for path in files)
    assert "Requirements of SR 11-7" in "".join(page.extract_text() for page in document.pages)
    assert len(deck.pages) >= 7
