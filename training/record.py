"""What an evaluation found, kept beside the candidate until it is promoted."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

EVALUATION = "evaluation.json"


class NoEvaluation(ValueError):
    """There is none, or it cannot be read; says which command makes it."""


@dataclass(frozen=True)
class Evaluation:
    """A candidate (by the SHA-256 of its weights) beside the model in use, on these data."""

    sha256: str
    against: dict[str, str]
    data: dict[str, str]
    summary: dict[str, Any]
    classes: list[dict[str, Any]]

    @property
    def verdict(self) -> str:
        """See `training.versus.Verdict`."""
        return str(self.summary.get("verdict", ""))


def keep_evaluation(found: Evaluation, file: Path) -> None:
    """Write it, whole or not at all."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps(asdict(found), ensure_ascii=False, indent=1), encoding="utf-8")
    part.replace(file)


def read_evaluation(file: Path) -> Evaluation:
    """Read what `keep_evaluation` wrote.

    Raises NoEvaluation.
    """
    remedy = f"tianyan model eval DATASET.yaml --model {file.parent} --against NAME"
    try:
        return Evaluation(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise NoEvaluation(f"{file.parent}: has not been evaluated; first: {remedy}") from None
    except (OSError, ValueError, TypeError) as fault:
        raise NoEvaluation(f"{file}: cannot be read ({fault}); again: {remedy}") from None
