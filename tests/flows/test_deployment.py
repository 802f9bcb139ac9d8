"""Image, chart and InferenceService: what is written is what those who run it document, and it runs."""

import base64
import hashlib
import importlib.util
import io
import json
import os
import re
import runpy
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from modelwright.core.errors import NotExportable, UnwritableOutput
from modelwright.flows.export import export
from modelwright.packaging import image as image_module
from modelwright.packaging.chart import Deployed, chart_files, kserve_files, resource_name
from modelwright.packaging.image import filled, own_wheel

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).parents[2]
SCHEMAS = runpy.run_path(str(ROOT / "tests" / "packaging" / "kubernetes_schemas.py"))
HOSTILE = (
    "$(id)",
    '"; USER root',
    "a\nUSER root",
    "{{ .Release }}",
    "é" * 90,
    "../..",
    "`id`",
    "${PATH}",
    "-rf",
    "1.0.0",
)


@pytest.fixture(scope="module")
def exported(churn_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    return {
        form: Path(export(churn_model.path, to=form, out=folder / form).path) for form in ("docker", "helm", "kserve")
    }


def checked(document):
    schema = SCHEMAS["SCHEMAS"][document["kind"]]
    errors = [
        f"{'/'.join(map(str, e.absolute_path))}: {e.message}"
        for e in Draft202012Validator(schema).iter_errors(document)
    ]
    assert errors == []
    if importlib.util.find_spec("kubernetes_validate") and document["kind"] != "InferenceService":
        import kubernetes_validate

        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
    return document


# The image


def test_the_recipe_has_two_stages_and_no_root(exported):
    text = (exported["docker"] / "Dockerfile").read_text()
    assert "--chmod" not in text, "older builders know only numbers there"
    steps = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]
    assert [s.split()[0] for s in steps].count("FROM") == 2
    last = steps[max(i for i, s in enumerate(steps) if s.startswith("FROM")) :]
    assert "USER 65532:65532" in last
    assert not [s for s in last if s.startswith(("RUN", "ADD"))]  # nothing is installed where it runs
    assert json.loads(next(s for s in last if s.startswith("ENTRYPOINT")).partition(" ")[2])[:3] == [
        "modelwright",
        "serve",
        "/model",
    ]
    assert "--require-hashes" in text
    assert "MODELWRIGHT_TOKEN=" not in text
    assert (exported["docker"] / ".dockerignore").read_text().startswith("*\n")


def test_every_library_has_a_hash_and_none_is_of_the_workshop(exported):
    text = (exported["docker"] / "requirements.txt").read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)
    names = {re.split(r"[=\s]", entry)[0] for entry in entries}
    assert {"numpy", "lightgbm", "uvicorn", "msgspec"} <= names
    assert not names & {"scipy", "scikit-learn", "polars", "pandas", "optuna", "xgboost-cpu", "mlflow-skinny", "rich"}
    assert "://" not in text
    wheel = next(exported["docker"].glob("*.whl"))
    assert f"./{wheel.name}" in names
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() in text


def test_the_libraries_are_those_of_the_lock():
    script = runpy.run_path(str(ROOT / "requirements" / "serving.py"))
    assert script["OUT"].read_text() == script["derived"](script["LOCK"].read_text()), "python requirements/serving.py"


def test_the_wheel_is_a_wheel():
    name, content = own_wheel()
    assert own_wheel() == (name, content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        record = next(n for n in archive.namelist() if n.endswith("RECORD"))
        rows = [line.rsplit(",", 2) for line in archive.read(record).decode().splitlines()]
        assert {row[0] for row in rows} == set(archive.namelist())
        for path, digest, size in rows:
            if path != record:
                data = archive.read(path)
                expected = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                assert (digest, int(size)) == (f"sha256={expected}", len(data))
        assert not [n for n in archive.namelist() if "__pycache__" in n]
        assert (
            "modelwright = modelwright.ui.cli:main"
            in archive.read(record.replace("RECORD", "entry_points.txt")).decode()
        )


BLOCKED = """
import importlib.metadata, os, sys
allowed = set(os.environ["ALLOWED"].split())
owners = importlib.metadata.packages_distributions()
class Block:
    def find_spec(self, name, path=None, target=None):
        of = {o.lower().replace("_", "-") for o in owners.get(name.partition(".")[0], ())}
        if of and not of & allowed:
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)
sys.meta_path.insert(0, Block())
from modelwright.ui.cli import main
sys.argv = ["modelwright", *sys.argv[1:]]
main()
"""


@pytest.mark.slow
@pytest.mark.server
def test_what_is_in_the_image_is_enough_to_serve(exported, run_image):
    service = run_image(exported["docker"])
    row = json.loads((exported["docker"] / "model" / "golden.json").read_text())["records"][0]
    answer = service.ask("/predict", {"records": [row], "explain": True})
    assert answer["recorded"] is True
    assert answer["reasons"]
    assert b"modelwright_requests_total" in service.ask("/metrics")
    assert service.ask("/openapi.json")["openapi"] == "3.1.0"
    assert service.ask("/predict", b"tenure\n3\n", kind="text/csv")["predictions"]
    assert service.refused("/predict", b"PAR1", kind="application/vnd.apache.parquet") == 415
    assert service.stop() == 0


@pytest.fixture
def run_image(tmp_path):
    """Starts what the image holds: its wheel, its model, its command, and no library that is not in its list."""
    service = runpy.run_path(str(ROOT / "tests" / "service" / "conftest.py"))["Running"]
    started = []

    def start(recipe):
        target = tmp_path / "installed"
        with zipfile.ZipFile(next(recipe.glob("*.whl"))) as wheel:
            wheel.extractall(target)
        names = re.findall(r"^([a-z0-9-]+)==", (recipe / "requirements.txt").read_text(), re.MULTILINE)
        env = {"PYTHONPATH": str(target), "ALLOWED": " ".join([*names, "modelwright"]), "MODELWRIGHT_TOKEN": "t" * 20}
        line = next(s for s in (recipe / "Dockerfile").read_text().splitlines() if s.startswith("ENTRYPOINT"))
        words = json.loads(line.partition(" ")[2])[1:]
        words[words.index("/model")] = str(recipe / "model")
        started.append(service.of([sys.executable, "-c", BLOCKED, *words, "--port", "0", "--json"], tmp_path, env))
        started[-1].url = started[-1].url.replace("0.0.0.0", "127.0.0.1")
        started[-1].token = "t" * 20
        return started[-1]

    yield start
    for one in started:
        one.stop()


def test_a_model_of_other_libraries_is_refused(churn_model, monkeypatch):
    part = SimpleNamespace(kind="foundation", parts={})
    model = SimpleNamespace(state=lambda: SimpleNamespace(kind="model", parts={"blend": part}))
    with pytest.raises(NotExportable, match="PyTorch"):
        image_module.image_files(SimpleNamespace(model=model, fingerprint="0"), "x", "1")


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_writes_a_line_of_a_recipe(churn_model, name):
    from modelwright.flows.load import load

    package = load(churn_model.path).package
    plain = image_module.image_files(package, "x", "1")["Dockerfile"].decode().splitlines()
    lines = image_module.image_files(package, name, name)["Dockerfile"].decode().splitlines()
    assert len(lines) == len(plain)
    begins = [[re.split(r"[= ]", line.strip())[0] for line in some] for some in (lines, plain)]
    assert begins[0] == begins[1]
    assert not any(c in line for line in set(lines) - set(plain) for c in "$`\\'" if "ENTRYPOINT" in line)
    for files in (chart_files(Deployed(name, name, "0" * 32)), kserve_files(Deployed(name, name, "0" * 32))):
        for path, content in files.items():
            if path.endswith("Chart.yaml"):
                chart = yaml.safe_load(content)
                assert chart["name"] == resource_name(name)
                assert re.fullmatch(r"[a-z][a-z0-9-]*", chart["name"])
            if path == "inferenceservice.yaml":
                checked(yaml.safe_load(content))


def test_what_is_put_in_is_not_looked_at_again():
    assert filled("@A@ @B@", {"A": "@B@", "B": "x"}) == "@B@ x"


def test_the_package_is_readable_and_not_writable_by_others(exported):
    for path in (exported["docker"] / "model").rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o022 == 0
        assert mode & 0o444 == 0o444


def test_an_export_takes_nobodys_place_and_leaves_nothing_half(exported, churn_model, tmp_path, monkeypatch):
    with pytest.raises(UnwritableOutput):
        export(churn_model.path, to="docker", out=exported["docker"])
    monkeypatch.setattr(shutil, "copytree", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(UnwritableOutput, match="space"):
        export(churn_model.path, to="docker", out=tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_hadolint_finds_nothing(exported):
    command = shutil.which("hadolint")
    if command is None:
        pytest.skip("hadolint is not here")
    done = subprocess.run([command, exported["docker"] / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.server
@pytest.mark.slow
def test_docker_builds_it(exported):
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "info"], capture_output=True, check=False).returncode:
        pytest.skip("no Docker daemon is here")
    if not os.environ.get("MODELWRIGHT_BUILD_IMAGE"):
        pytest.skip("building asks a registry: set MODELWRIGHT_BUILD_IMAGE=1")
    subprocess.run([docker, "build", "--quiet", exported["docker"]], check=True, capture_output=True)


# Helm


def test_the_chart_is_one(exported):
    folder = exported["helm"]
    chart = yaml.safe_load((folder / "Chart.yaml").read_text())
    Draft202012Validator(SCHEMAS["CHART"]).validate(chart)
    schema = json.loads((folder / "values.schema.json").read_text())
    Draft7Validator.check_schema(schema)
    values = yaml.safe_load((folder / "values.yaml").read_text())
    Draft7Validator(schema).validate(values)
    assert values["image"]["tag"] == chart["appVersion"]
    for wrong in (
        {"replicas": "many"},
        {"token": {"value": "secret"}},
        {"imgae": {}},
        {"image": {"repository": "A B"}},
    ):
        assert list(Draft7Validator(schema).iter_errors({**values, **wrong}))


def test_templates_ask_only_for_values_that_there_are(exported):
    folder = exported["helm"]
    values = yaml.safe_load((folder / "values.yaml").read_text())
    asked = set()
    for template in (folder / "templates").iterdir():
        asked |= set(re.findall(r"\.Values\.([A-Za-z0-9.]+)", template.read_text()))
    for path in asked:
        at = values
        for key in path.split("."):
            assert key in at, path
            at = at[key]
    assert {path.split(".")[0] for path in asked} == set(values)


SETTINGS = {
    "as it is": (),
    "postgresql": (
        "ledger.existingSecret=ledger",
        "ledger.hashKeySecret=key",
        "replicas=3",
        "token.existingSecret=mine",
    ),
    "scaled": ("autoscaling.enabled=true", "ledger.existingSecret=ledger", "hosts={churn.example.com}"),
    "in memory": ("persistence.enabled=false", "metrics.scrape=true", "imagePullSecrets[0].name=pull"),
    "pinned": (f"image.digest=sha256:{'0' * 64}", "nodeSelector.disk=ssd", "persistence.storageClass=fast"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_helm_renders_what_kubernetes_takes(exported, name):
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("helm is not here")
    words = [w for setting in SETTINGS[name] for w in ("--set", setting)]
    subprocess.run([helm, "lint", "--strict", exported["helm"], *words], check=True, capture_output=True)
    command = [helm, "template", "shop", exported["helm"], "--namespace", "sales", *words]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    documents = {d["kind"]: checked(d) for d in yaml.safe_load_all(text) if d}
    pod = documents["Deployment"]["spec"]["template"]
    assert documents["Service"]["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    container = pod["spec"]["containers"][0]
    mounted = {m["name"] for m in container["volumeMounts"]}
    assert mounted == {v["name"] for v in pod["spec"]["volumes"]}
    options = dict(zip(container["args"][::2], container["args"][1::2], strict=True))
    assert set(options) <= {"--workers", "--config", "--ledger", "--allow-host"}
    assert ("HorizontalPodAutoscaler" in documents) == (name == "scaled")
    assert ("Secret" in documents) == (name != "postgresql")
    assert ("PersistentVolumeClaim" in documents) == (name in ("as it is", "pinned"))


def test_helm_refuses_what_would_lose_predictions_and_what_is_no_value(exported):
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("helm is not here")
    for setting in ("autoscaling.enabled=true", "replicas=many", "image.repository=A B"):
        command = [helm, "template", "x", exported["helm"], "--set", setting]
        assert subprocess.run(command, capture_output=True, check=False).returncode != 0


# KServe


def test_the_inference_service_is_one_and_speaks_version_2(exported):
    service = checked(yaml.safe_load((exported["kserve"] / "inferenceservice.yaml").read_text()))
    secret = checked(yaml.safe_load((exported["kserve"] / "secret.yaml").read_text()))
    container = service["spec"]["predictor"]["containers"][0]
    assert {"name": "PROTOCOL", "value": "v2"} in container["env"]
    named = {e["valueFrom"]["secretKeyRef"]["name"] for e in container["env"] if "valueFrom" in e}
    assert named == {secret["metadata"]["name"]}
    keys = {e["valueFrom"]["secretKeyRef"]["key"] for e in container["env"] if "valueFrom" in e}
    assert keys == set(secret["stringData"])
    assert set(secret["stringData"].values()) == {""}  # nobody's default secret


def test_probes_and_options_are_the_services_own(exported):
    from modelwright.service.routes import find
    from modelwright.ui.serving import serve

    options = {o for parameter in serve.params for o in parameter.opts}
    text = (exported["helm"] / "templates" / "deployment.yaml").read_text()
    kserve = yaml.safe_load((exported["kserve"] / "inferenceservice.yaml").read_text())
    arguments = kserve["spec"]["predictor"]["containers"][0]["args"]
    for option in {*re.findall(r'"(--[a-z-]+)"', text), *(a for a in arguments if a.startswith("--"))}:
        assert option in options
    paths = re.findall(r"path: (/\S+)", text) + re.findall(r'path: "?(/[^"\s]+)', json.dumps(kserve).replace('\\"', ""))
    for path in paths:
        route, _ = find("GET", path)
        assert route is not None
        assert not route.scope
