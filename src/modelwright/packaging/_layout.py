"""Layout: the names of a package's files and how large each may be; nothing else is ever opened."""

from __future__ import annotations

from modelwright.packaging.package import DOCUMENTS

FORMAT = 1
"""The number of this format; a package of another is refused with a way out."""

MANIFEST, CONTRACT, TASK = "manifest.json", "contract.json", "task.json"
EVIDENCE, FINDINGS, RECORD = "evidence.json", "findings.json", "record.json"
STATE, ARRAYS, GOLDEN = "state.json", "arrays.bin", "golden.json"
PLAN = "plan.json"
SEALED, SEALED_ARRAYS = "sealed.json", "sealed.bin"
CHECKSUMS = "checksums.json"
MLMODEL, REQUIREMENTS, PYTHON_ENV = "MLmodel", "requirements.txt", "python_env.yaml"
INPUT_EXAMPLE, SERVING_EXAMPLE = "input_example.json", "serving_input_example.json"

VIEWS = (MLMODEL, REQUIREMENTS, PYTHON_ENV, INPUT_EXAMPLE, SERVING_EXAMPLE)
"""Files for MLflow; reading a package checks their digests and looks no further."""

NEEDED = (
    *(MANIFEST, CONTRACT, TASK, EVIDENCE, FINDINGS, RECORD, STATE, ARRAYS, GOLDEN, CHECKSUMS),
    *VIEWS,
)
OPTIONAL = (PLAN, SEALED, SEALED_ARRAYS, *DOCUMENTS)
TOLERATED = frozenset({"registered_model_meta"})
"""What MLflow leaves in a folder that it fetched from its registry; never opened."""

TIMED = frozenset({MANIFEST, EVIDENCE, RECORD, CHECKSUMS, PLAN, *DOCUMENTS})
"""Files that show measured times; the fingerprint takes the first three without them and leaves out the rest."""

BYTES_MAX = 4 * 2**30
"""What a whole package may hold unless the reader says otherwise."""
JSON_BYTES_MAX = 128 * 2**20
DOCUMENT_BYTES_MAX = 64 * 2**20
FILES_MAX = 20_100
FIXED = frozenset((*NEEDED, *OPTIONAL))


def blob(number: int) -> str:
    """Return the name of the blob of this number.

    >>> blob(3)
    'blob_3.bin'
    """
    return f"blob_{number}.bin"


def blobs_of(names: set[str]) -> list[str]:
    """Return the blob names among names, from number 0 to the first that is absent."""
    found: list[str] = []
    while blob(len(found)) in names:
        found.append(blob(len(found)))
    return found


def bytes_max(name: str) -> int:
    """Return how large a file of this name may be."""
    if name.endswith(".bin"):
        return BYTES_MAX
    return JSON_BYTES_MAX if name.endswith(".json") else DOCUMENT_BYTES_MAX
