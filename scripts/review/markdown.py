"""The report as Markdown: what a reviewer reads first stands first, and a small change fits a screen."""

from collections.abc import Iterator

from review.entries import AssetChange, FileChange
from review.report import Report


def render(report: Report) -> str:
    """Markdown, ending with one line break."""
    lines = [*_head(report), *_findings(report), *_assets(report), *_runs(report)]
    for title, topic in (
        ("Cost", report.cost),
        ("Access", report.access),
        ("Data contract", report.contract),
        ("Gate", report.gate),
    ):
        if topic:
            lines += ["", f"## {title}", "", *_cut(topic)]
    lines += [*_terraform(report), *_metrics(report), *_other(report)]
    return "\n".join(lines) + "\n"


def _head(report: Report) -> Iterator[str]:
    yield f"# What merging into {report.base} does"
    states = [asset.state for asset in report.assets]
    parts = [f"{states.count(state)} {word}" for state, word in _WORDS.items() if state in states]
    sections = {"cost": report.cost, "access": report.access, "data contract": report.contract, "gate": report.gate}
    touched = [name for name, lines in sections.items() if lines]
    if report.terraform.get("files") or report.terraform.get("plan"):
        touched.append("Terraform")
    yield ""
    yield f"Assets: {', '.join(parts) or 'none changes'}. " + (
        f"Touches {', '.join(touched)}." if touched else "Cost, access, data contract and gate stay as they are."
    )


_SHOWN, _FILES_SHOWN = 12, 3
_WORDS = {"added": "added", "changed": "changed", "removed": "removed"}


def _cut(lines: list[str]) -> Iterator[str]:
    yield from (f"- {line}" for line in lines[:_SHOWN])
    if len(lines) > _SHOWN:
        yield f"- and {len(lines) - _SHOWN} more (OUTPUT=json has all)"


def _findings(report: Report) -> Iterator[str]:
    if report.findings:
        yield from ("", "## To mend before merging", "")
        yield from (f"- `{line}`" for line in report.findings)


def _assets(report: Report) -> Iterator[str]:
    if not report.assets:
        return
    yield from ("", "## Assets", "")
    for asset in report.assets:
        yield f"- **{asset.label}**{_versions(asset)} (`{asset.path}`)"
        if asset.moved_from:
            yield f"  - moved from `{asset.moved_from}`"
        yield from (f"  - {change}" for change in asset.fields)
        yield from _files(asset)
        if asset.used_by:
            yield f"  - used by: {', '.join(asset.used_by)}"


def _versions(asset: AssetChange) -> str:
    if asset.state == "added":
        return f" {asset.new_version}, new" if asset.new_version else ", new"
    if asset.state == "removed":
        return ", removed"
    if asset.old_version == asset.new_version:
        return f" {asset.new_version}" if asset.new_version else ""
    return f" {asset.old_version} → {asset.new_version}"


def _files(asset: AssetChange) -> Iterator[str]:
    """Files one a line; more than a few in one line, but for locks, whose packages follow them.

    Each component carries a whole package: after a wide change the same long list would stand below every one of them.
    """
    plain = [file for file in asset.files if not file.pins]
    is_wide = len(plain) > _FILES_SHOWN
    if is_wide:
        first = ", ".join(f"`{file.path}`" for file in plain[:_FILES_SHOWN])
        yield f"  - {len(plain)} files ({_size(*plain)}): {first} and {len(plain) - _FILES_SHOWN} more"
    for file in asset.files:
        if is_wide and not file.pins:
            continue
        yield f"  - `{file.path}`: {file.state} ({_size(file)})"
        yield from (f"    - {pin}" for pin in file.pins[:_SHOWN])
        if len(file.pins) > _SHOWN:
            yield f"    - and {len(file.pins) - _SHOWN} more packages"


def _size(*files: FileChange) -> str:
    return f"+{sum(file.added for file in files)} -{sum(file.removed for file in files)}"


def _runs(report: Report) -> Iterator[str]:
    if report.runs:
        yield from ("", "## Runs again", "")
    for pipeline, runs in report.runs.items():
        again = [f"{run.job} ({run.reason})" for run in runs if run.reason]
        reused = [run.job for run in runs if not run.reason]
        yield f"- **{pipeline}**: {'; '.join(again)}. Reused: {', '.join(reused) or 'nothing'}."


def _terraform(report: Report) -> Iterator[str]:
    files, plan = report.terraform.get("files", []), report.terraform.get("plan", [])
    if files or plan:
        yield from ("", "## Terraform", "")
        yield from (f"- {line}" for line in plan)
        yield from (f"- {line}" for line in files[:_SHOWN])
    if len(files) > _SHOWN:
        yield f"- and {len(files) - _SHOWN} more files"


def _metrics(report: Report) -> Iterator[str]:
    if report.metrics is None:
        return
    yield from ("", "## Metrics on the held-out months", "")
    yield report.metrics["sentence"]
    head = ["model", *report.metrics["head"]]
    yield ""
    for line in (head, ["---"] * len(head), *([row["name"], *row["cells"]] for row in report.metrics["rows"])):
        yield f"| {' | '.join(line)} |"


def _other(report: Report) -> Iterator[str]:
    if report.other:
        counts = ", ".join(f"{folder} ({count})" for folder, count in report.other.items())
        yield from ("", f"Other changed files: {counts}.")
