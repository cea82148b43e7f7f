"""Where a gate's verdict is written: a folder, a JUnit file, a job summary."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from asdbench.atomic import write_text
from asdbench.errors import ResourceError, UsageError
from asdbench.gate.junit import to_junit
from asdbench.gate.record import to_dict
from asdbench.gate.summary import to_markdown
from asdbench.gate.verdict import Judgement

JOB_SUMMARY = "GITHUB_STEP_SUMMARY"
"""Variable that names the file which GitHub shows on the page of a job."""


@dataclass(frozen=True)
class Outputs:
    """Where to write; ``None`` for nowhere.

    Attributes:
        folder: Folder for ``gate.json``, ``gate.xml`` and ``gate.md``.
        junit: JUnit file.
        summary: Markdown file.
        job_summary: Markdown file to which is appended, since other steps of a job may have written to it.
    """

    folder: Path | None = None
    junit: Path | None = None
    summary: Path | None = None
    job_summary: Path | None = None

    @classmethod
    def of(
        cls,
        folder: Path | None = None,
        junit: Path | None = None,
        summary: Path | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> Outputs:
        """Return where to write, in a job on GitHub also its summary, unless one is given.

        Raises:
            UsageError: A folder stands where a file shall be.
        """
        for path in (junit, summary):
            if path is not None and path.is_dir():
                raise UsageError(f"{path} is a folder; name a file to write.")
        job = Path(environment[JOB_SUMMARY]) if environment.get(JOB_SUMMARY) else None
        if summary is None or summary == job:
            return cls(folder, junit, None, job)
        return cls(folder, junit, summary)

    def clear(self) -> None:
        """Remove what an earlier gate left: no old verdict may pass for that of a gate which stops with an error.

        Raises:
            ResourceError: A file cannot be removed.
        """
        for path in self._files():
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise ResourceError(f"{path}: cannot be replaced ({error.strerror or error}).") from error

    def write(self, judgement: Judgement) -> None:
        """Write all of them.

        Raises:
            ResourceError: A file cannot be written.
        """
        texts = {
            ".json": json.dumps(to_dict(judgement), indent=2, allow_nan=False) + "\n",
            ".xml": to_junit(judgement),
            ".md": to_markdown(judgement),
        }
        for path, suffix in self._files().items():
            write_text(path, texts[suffix])
        if self.job_summary is not None:
            _append(self.job_summary, texts[".md"])

    def _files(self) -> dict[Path, str]:
        found = {self.folder / f"gate{suffix}": suffix for suffix in (".json", ".xml", ".md")} if self.folder else {}
        found |= {self.junit: ".xml"} if self.junit else {}
        return found | ({self.summary: ".md"} if self.summary else {})


def _append(path: Path, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:
        raise ResourceError(f"{path}: the job summary cannot be written ({error.strerror or error}).") from error
