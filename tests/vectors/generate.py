"""Make every vector, bundle and the key file again, byte for byte (docs/vectors.md).

    python tests/vectors/generate.py [FOLDER]

The folder is this one by default; vectors in it that are no longer made are removed.
"""

import sys
from collections import Counter
from itertools import chain
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from generating import (  # noqa: E402
    code_cbor,
    code_claims,
    code_status,
    code_steps,
    code_texts,
    credential_bindings,
    credential_forms,
    credential_steps,
    documents_bundle,
    documents_changes,
    documents_delta,
    documents_status,
    documents_trust,
    identifiers,
    presentations,
    service_rules,
    two_faults,
)
from generating.cases import case_files  # noqa: E402
from generating.keys import keys_file  # noqa: E402
from generating.vector import Vector  # noqa: E402

SOURCES = (
    code_texts,
    code_cbor,
    code_claims,
    code_steps,
    code_status,
    credential_forms,
    credential_steps,
    credential_bindings,
    documents_trust,
    documents_status,
    documents_bundle,
    documents_delta,
    documents_changes,
    identifiers,
    presentations,
    service_rules,
    two_faults,
)


def all_vectors() -> list[Vector]:
    vectors = list(chain.from_iterable(source.vectors() for source in SOURCES))
    twice = [path for path, count in Counter(v.path for v in vectors).items() if count > 1]
    if twice:
        raise SystemExit(f"two vectors of one name: {twice}")
    return vectors


def write(folder: Path) -> int:
    vectors = all_vectors()
    files = {vector.path: vector.text.encode() for vector in vectors}
    count = len(files)
    files |= {f"bundles/{name}": data for name, data in documents_bundle.shared_bundles().items()}
    files |= dict(case_files(vectors))
    files["keys.json"] = keys_file().encode()
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    for found in chain(folder.glob("*/*.txt"), folder.glob("bundles/*"), folder.glob("cases/*")):
        if found.relative_to(folder).as_posix() not in files:
            found.unlink()
    return count


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    print(f"{write(target)} vectors in {target}")
