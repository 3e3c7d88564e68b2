"""Settings of the documentation site; `make docs` builds it."""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import typer
from sphinx.application import Sphinx
from sphinx.builders.text import TextBuilder
from sphinx.search.en import SearchEnglish
from sphinx.writers.text import TextTranslator
from typer.core import TyperCommand, TyperGroup

import deerapi_remix
import deerapi_remix.cli
from deerapi_remix.cli._app import app as command_line

project = "deerapi-remix"
SUMMARY = "Remix Sora videos through DeerAPI from Python: no paid job is lost, and none is paid for twice."
author = "The deerapi-remix developers"
release = deerapi_remix.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["pictures/*.md"]

html_theme = "furo"
html_static_path = ["_static", "pictures/card.png"]
html_css_files = ["tables.css"]
# Deferred, so that it runs when the script of the search is there.
html_js_files = [("search.js", {"defer": "defer"})]
html_title = f"{project} {release}"
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False

# Anchors of headings, to which links may point; a link that leads nowhere fails the build.
myst_heading_anchors = 3

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
napoleon_use_ivar = True
# Types of other projects, whose sites a build without network cannot ask.
nitpick_ignore_regex = [("py:.*", r"(httpx|os|pathlib|collections|typing)\..*|Path")]


class SearchWithStatuses(SearchEnglish):
    """English, in which numbers of three digits are words: readers look for 429. `search.js` is its other half."""

    def word_filter(self, word: str) -> bool:
        return bool(re.fullmatch(r"\d{3}", word)) or super().word_filter(word)


def describe_commands() -> str:
    """What every command says of itself, as Markdown."""
    group = typer.main.get_command(command_line)
    assert isinstance(group, TyperGroup)  # noqa: S101  # For the type checkers.
    with group.make_context("deerapi-remix", [], resilient_parsing=True) as parent:
        return "\n".join(describe_group(group, parent))


def describe_group(group: TyperGroup, parent: Any) -> Iterator[str]:
    """The commands of a group, and those of the groups in it."""
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        assert command is not None  # noqa: S101  # It is listed.
        # The examples are printed behind the help, which is returned.
        with (
            command.make_context(name, [], parent=parent, resilient_parsing=True, max_content_width=90) as context,
            contextlib.redirect_stdout(None),
        ):
            if isinstance(command, TyperGroup):
                yield from describe_group(command, context)
                continue
            assert isinstance(command, TyperCommand)  # noqa: S101  # For the type checkers.
            command.rich_markup_mode = None  # Plain text, without boxes.
            examples = "\n".join(re.findall("^ *(deerapi-remix .*)", command.epilog or "", re.MULTILINE))
            title = context.command_path.removeprefix("deerapi-remix ")
            yield f"## {title}\n\n```text\n{command.get_help(context)}\n```\n\n```sh\n{examples}\n```\n"


def describe_exit_codes() -> str:
    return f"```text\n{(deerapi_remix.cli.__doc__ or '').partition('Exit codes:')[2].strip()}\n```\n"


def filled_in(page: str) -> str:
    """A page with what the code says of itself, so that it cannot go stale."""
    for comment, describe in {"commands": describe_commands, "exit codes": describe_exit_codes}.items():
        place = f"<!-- here: {comment} -->"
        if place in page:
            page = page.replace(place, describe())
    return page


def fill_in(_app: Sphinx, _page: str, source: list[str]) -> None:
    source[0] = filled_in(source[0])


def read_as_markdown(_app: Sphinx, _what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Take what is in backquotes for code, and so paragraphs that are indented, as readers of docstrings do."""
    text = re.sub(r"(?<![`:])`([^`]+)`(?!`)", r"``\1``", "\n".join(lines))
    lines[:] = re.sub(r"^([A-Z*].*)\n\n(?=    )", r"\1\n\n::\n\n", text, flags=re.MULTILINE).split("\n")


def name_the_client(
    _app: Sphinx, _what: str, name: str, _object: object, _options: object, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Each twin takes a client of its own kind, which the base that they share cannot say."""
    kind = "AsyncClient" if name.endswith("AsyncRemixClient") else "Client"
    return signature and re.sub(r"[~\w.]*\bHttp\b", f"httpx.{kind}", signature), returns


def write_for_machines(app: Sphinx, problem: Exception | None) -> None:
    """Write `llms.txt`, the list of pages for programs that read documentation, and each page as Markdown."""
    if problem is not None:
        return
    lines = [f"# {project}", "", f"> {SUMMARY}", "", "## Pages", ""]
    for name in sorted(app.env.found_docs):
        page = Path(app.env.doc2path(name)).read_text(encoding="utf-8")
        # Pages that are made of docstrings or of another file have no text of their own.
        text = as_text(app, name) if re.search(r"^```\{(eval-rst|include)\}", page, re.MULTILINE) else filled_in(page)
        Path(app.outdir, f"{name}.md").write_text(text, encoding="utf-8")
        lines.append(f"- [{app.env.titles[name].astext()}]({name}.md)")
    Path(app.outdir, "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def as_text(app: Sphinx, page: str) -> str:
    builder = TextBuilder(app, app.env)
    builder.init()
    translator = TextTranslator(app.env.get_and_resolve_doctree(page, builder), builder)
    translator.document.walkabout(translator)
    return translator.body


def add_card(app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """What is shown where somebody posts a link to a page.

    Most places want a whole address of the picture, which takes that of the site: `sphinx-build -D html_baseurl=https://...`.
    """
    title = f"{context.get('title', project)} - {project}"
    picture = "_static/card.png"
    facts = {
        "og:type": "website",
        "og:site_name": project,
        "og:title": title,
        "og:description": SUMMARY,
        "og:image": urljoin(app.config.html_baseurl, picture)
        if app.config.html_baseurl
        else context["pathto"](picture, 1),
        "og:image:alt": SUMMARY,
    }
    tags = [f'<meta property="{name}" content="{html.escape(told)}">' for name, told in facts.items()]
    tags.append('<meta name="twitter:card" content="summary_large_image">')
    context["metatags"] = context.get("metatags", "") + "\n".join(tags)


def add_asynchronous_example(
    _app: Sphinx, _what: str, name: str, _object: object, _options: object, lines: list[str]
) -> None:
    """Show the example of a method for the asynchronous twin as well, which has the same methods."""
    if not name.startswith("deerapi_remix.RemixClient.") or name.endswith(".with_options"):
        return
    example = [line for line in lines if line.lstrip().startswith((">>>", "..."))]
    if example:
        lines += ["", "With `AsyncRemixClient`:", "", *map(asynchronous, example), ""]


def asynchronous(line: str) -> str:
    """A line of an example, for the asynchronous twin."""
    if "client.follow(" in line:
        return line.replace("for video", "async for video")
    awaited = re.sub(r"(client\.\w+\([^()]*\))\.", r"(await \1).", line)
    return re.sub(r"(?<!await )\bclient\.(?=\w+\()", "await client.", awaited)


def setup(app: Sphinx) -> None:
    app.add_search_language(SearchWithStatuses)
    app.connect("build-finished", write_for_machines)
    app.connect("html-page-context", add_card)
    app.connect("autodoc-process-docstring", add_asynchronous_example)
    app.connect("source-read", fill_in)
    app.connect("autodoc-process-docstring", read_as_markdown)
    app.connect("autodoc-process-signature", name_the_client)
