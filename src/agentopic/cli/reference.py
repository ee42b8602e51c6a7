"""The reference pages, written from the settings model and the command tree themselves.

`python -m agentopic.cli.reference docs` writes `settings.md` and `cli.md` into that folder.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agentopic.cli.exits import Exit
from agentopic.cli.verbs import VERBS, load_verb
from agentopic.settings import Settings, fields, variables

_SETTINGS_HEAD = """# Settings

A process reads its settings once, at start. A value comes from the first of these that has it:

1. a flag of the command line, or a keyword of `DurableRuntime`
2. an environment variable: ours, then AutoGen's where there is one
3. a secret file named like the variable in `/run/secrets` (or in the folder that `AGENTOPIC_SECRETS_DIR` names)
4. `.env` in the working directory
5. `agentopic.toml` in the working directory, with the names of the first column in lower case and without the prefix
6. `[tool.agentopic]` in `pyproject.toml`
7. `agentopic/config.toml` in the user's configuration folder (`~/.config`)
8. the default

`agentopic config show --origin` prints what is in force and which source decided; secrets are masked.

| Variable | Default | Meaning |
| --- | --- | --- |
"""

_SETTINGS_TAIL = """
## URLs

| URL | Meaning |
| --- | --- |
| `sqlite:///folder/file.db` | a file, relative to the working directory; `sqlite:////folder/file.db` is absolute |
| `kafka://host:port,host:port` | Kafka brokers |
| `kafka://user:password@host:port?tls=true&mechanism=SCRAM-SHA-512` | the same with TLS and a login |
| `postgresql://user:password@host/database` | a PostgreSQL journal; `postgres://` is the same |
| `memory://name` | this process's memory, shared by all who give the same name; without a name, private |
"""

_CLI_HEAD = """# Command line

Data goes to stdout, everything else to stderr. `NO_COLOR` and `FORCE_COLOR` are heeded. An error is one line that says
what is wrong and what to do; `agentopic --debug VERB` shows the traceback too.

| Exit code | Meaning |
| --- | --- |
"""

_EXIT_MEANINGS = {
    Exit.DONE: "done",
    Exit.FAILED: "the operation failed",
    Exit.USAGE: "usage or configuration",
    Exit.UNREACHABLE: "broker, database or service unreachable",
    Exit.NOT_FOUND: "not found: a topic, an agent",
    Exit.CONFLICT: "conflict: a precondition does not hold",
    Exit.TIMED_OUT: "timed out",
    Exit.NOT_AUTHORISED: "not authorised",
    Exit.PARTLY: "partly done; the output says what",
    Exit.CHECK_FAILED: "a check failed",
    Exit.INTERRUPTED: "interrupted",
    Exit.TERMINATED: "terminated",
}


def settings_page() -> str:
    """Return `docs/settings.md`."""
    rows = [
        f"| {'<br>'.join(f'`{each}`' for each in variables(name))} | {_default(field.default)} | {field.description} |"
        for name, field in ((name, Settings.model_fields[name]) for name in fields())
    ]
    return _SETTINGS_HEAD + "\n".join(rows) + "\n" + _SETTINGS_TAIL


def cli_page() -> str:
    """Return `docs/cli.md`."""
    codes = "\n".join(f"| {code.value} | {meaning} |" for code, meaning in _EXIT_MEANINGS.items())
    sections = [section for verb in VERBS for section in _sections(f"agentopic {verb}", load_verb(verb))]
    return _CLI_HEAD + codes + "\n\n" + "\n".join(sections)


def _sections(path: str, command: Any) -> Iterator[str]:
    children: dict[str, Any] = getattr(command, "commands", {})
    if children:
        for name, child in children.items():
            yield from _sections(f"{path} {name}", child)
        return
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    usage = " ".join([path, "[OPTIONS]", *(str(each.metavar or each.name.upper()) for each in arguments)])
    rows = [f"| `{each.metavar or each.name.upper()}` | {each.help or ''} |" for each in arguments]
    rows += [f"| {_names(each)} | {each.help or ''}{_shown_default(each)} |" for each in options]
    yield (
        f"## {path}\n\n{command.help}\n\n```text\n{usage}\n```\n\n| Flag | Meaning |\n| --- | --- |\n"
        + "\n".join(rows)
        + "\n"
    )


def _names(option: Any) -> str:
    return ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))


def _shown_default(option: Any) -> str:
    if option.required:
        return " Required."
    silent = option.default is None or option.default is False or not option.show_default
    return "" if silent else f" Default: `{option.default}`."


def _default(value: Any) -> str:
    if value is None or value in ((), {}):
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def write(folder: Path) -> None:
    """Write both pages."""
    (folder / "settings.md").write_text(settings_page(), encoding="utf-8")
    (folder / "cli.md").write_text(cli_page(), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
