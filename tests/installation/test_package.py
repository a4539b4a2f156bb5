"""The wheel, built from the sdist, opens pages in an environment that has nothing from the checkout."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from gateway.language import LANGUAGES
from tests import PATIENCE

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]

OPEN_A_PAGE = """
from pathlib import Path
import gateway
from gateway.app import create_app
from gateway.config import load
from gateway.state import State
Path("pp.toml").write_text('[[upstream]]\\ndomains = ["example.org"]\\nimap = "imaps://m.example.org"\\n'
    'smtp = "smtps://m.example.org"\\n[state]\\ndatabase = "s.sqlite"\\nsecret = "s.secret"\\n')
client = create_app(load(Path("pp.toml"))).test_client()
for path, sign in (("/w", b"<wml>"), ("/m", b"XHTML Basic 1.1")):
    answer = client.get(path)
    assert answer.status_code == 200 and sign in answer.data, answer.data
answer = client.get("/w", headers={"Accept-Language": "ru"})
assert "Войти" in answer.text, answer.text
print(Path(gateway.__file__).parent)
"""


def _run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(c) for c in command], cwd=cwd, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    return out


def test_the_wheel_brings_what_reads_documents(built: Path) -> None:
    """As installed by an administrator who names no extra."""
    wheel = zipfile.ZipFile(next(built.glob("*.whl")))
    (name,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
    needed = [line for line in wheel.read(name).decode().splitlines() if line.startswith("Requires-Dist: ")]
    always = {
        line.split()[1].partition("<")[0].partition(">")[0] for line in needed if "extra ==" not in line
    }
    assert {"pypdf", "python-calamine", "pillow", "lxml"} <= always


def test_sdist_and_wheel_contain_templates_and_the_wheel_its_languages(built: Path) -> None:
    wheel, sdist = next(built.glob("*.whl")), next(built.glob("*.tar.gz"))
    inside = zipfile.ZipFile(wheel).namelist()
    with tarfile.open(sdist) as tar:
        packed = {name.partition("/")[2] for name in tar.getnames()}
    for folder in ("templates_wml", "templates_mobile"):
        for template in (ROOT / folder).glob("*.xml"):
            assert f"gateway/{folder}/{template.name}" in inside
            assert f"{folder}/{template.name}" in packed
    catalogues = [path.relative_to(ROOT) for path in (ROOT / "gateway/language/locale").rglob("*.po")]
    assert len(catalogues) == len(LANGUAGES) - 1
    for catalogue in catalogues:
        for path in (catalogue, catalogue.with_suffix(".mo")):
            assert path.as_posix() in inside
            assert path.as_posix() in packed


def test_the_wheel_opens_a_page_in_an_empty_environment(built: Path, tmp_path: Path) -> None:
    _run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "env", cwd=tmp_path)
    python = tmp_path / "env" / "bin" / "python"
    here = [sys.executable, "-m", "pip", "--python", str(python)]  # installing one there would take longer
    install = subprocess.run(
        [*here, "install", "-q", "--no-compile", "--disable-pip-version-check", next(built.glob("*.whl"))],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if install.returncode and "ConnectionError" in install.stderr + install.stdout:
        pytest.skip("the wheel's dependencies cannot be fetched: no package index is reached")
    assert install.returncode == 0, install.stderr
    place = _run(python, "-I", "-c", OPEN_A_PAGE, cwd=tmp_path)
    assert str(tmp_path / "env") in place
