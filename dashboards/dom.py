"""Pages as plain trees of HTML: built once a change, shared by all viewers, patched into each viewer's page in place.

So the keyboard focus, the scroll position and open folds stay while numbers change under them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple, TypeAlias

from nicegui.element import Element

Attribute = str | int | float | bool | None
Act = tuple[str, ...]  # what a button does, as data: ("ack", incident id)
ROWS_AND_CELLS = frozenset({"tr", "th", "td"})
ARROWS, KEY = "capture.stop.prevent.left.right.page-up.page-down", ["key", "shiftKey"]
VOID = frozenset({"br", "hr", "input", "link", "meta"})


class Node(NamedTuple):
    """One HTML element. `html` is trusted markup and replaces children; text is always escaped."""

    tag: str
    attrs: Mapping[str, Attribute]
    children: tuple[Node, ...]
    text: str | None
    html: str | None
    act: Act | None
    key: str | None


Child: TypeAlias = "Node | str | Iterable[Child] | None"


def h(tag: str, *children: Child, key: str | None = None, act: Act | None = None, **attrs: Attribute) -> Node:
    """An element: `h("a", "open", href="/x", class_="link", aria_label="…")`; None and False attributes are dropped."""
    named: dict[str, Attribute] = {_name(k): v for k, v in attrs.items() if v is not None and v is not False}
    flat = list(_flat(children))
    if len(flat) == 1 and isinstance(flat[0], str):
        return Node(tag, named, (), flat[0], None, act, key)
    nodes = tuple(c if isinstance(c, Node) else Node("span", {}, (), c, None, None, None) for c in flat)
    return Node(tag, named, nodes, None, None, act, key)


def raw(tag: str, html: str, *, key: str | None = None, **attrs: Attribute) -> Node:
    """An element whose inside is markup made here, never text from outside."""
    named: dict[str, Attribute] = {_name(k): v for k, v in attrs.items() if v is not None and v is not False}
    return Node(tag, named, (), None, html, None, key)


def to_html(node: Node) -> str:
    """The tree as HTML text, for pages without live parts and for tests."""
    attrs = "".join(f' {k}="{escape(_text(v))}"' if v is not True else f" {k}" for k, v in node.attrs.items())
    if node.tag in VOID:
        return f"<{node.tag}{attrs}>"
    inside = node.html if node.html is not None else escape(node.text or "", quote=False)
    return f"<{node.tag}{attrs}>{inside}{''.join(map(to_html, node.children))}</{node.tag}>"


def walk(node: Node) -> Iterable[Node]:
    """The node and everything below it, in document order."""
    yield node
    for child in node.children:
        yield from walk(child)


def text_of(node: Node) -> str:
    """What a reader sees, words apart by one space."""
    return " ".join(" ".join(n.text for n in walk(node) if n.text).split())


class Mounted:
    """A node as it stands in one viewer's page."""

    def __init__(self, node: Node, on_act: Callable[[Act], Any]) -> None:
        self.node = node
        self.on_act = on_act
        self.element = Element(node.tag)
        with self.element.props.suspend_updates():
            self.element.props.update(_props(node))
        self.element._text = node.text
        if node.act is not None:
            self._listen(node.tag)
        with self.element:
            self.children = [Mounted(child, on_act) for child in node.children]

    def _listen(self, tag: str) -> None:
        """A button is pressed; a slider tells its value when it is let go, a group the arrow keys pressed anywhere in it."""
        if tag == "q-slider":
            self.element.on("change", lambda e: self._acted(str(e.args)))
        elif tag == "fieldset":
            self.element.on(
                f"keydown.{ARROWS}", lambda e: self._acted(e.args["key"], *["Shift"] * e.args["shiftKey"]), KEY
            )
            self.element.on(f"keyup.{ARROWS}", lambda: None, args=[])  # a slider in it would tell its old value then
        else:
            self.element.on("click", lambda: self._acted(), args=[])

    def _acted(self, *told: str) -> Any:
        return self.on_act((*self.node.act, *told)) if self.node.act else None

    def patch(self, node: Node) -> None:
        """Make the page show `node` instead, touching only what differs. Both must be alike as `_same` tells."""
        if node is self.node:
            return
        old, self.node = self.node, node
        if old.attrs != node.attrs or old.html != node.html:
            with self.element.props.suspend_updates():
                self.element.props.clear()
                self.element.props.update(_props(node))
            self.element.update()
        if old.text != node.text:
            self.element._text = node.text
            self.element.update()
        if old.children is not node.children:
            self._patch_children(node.children)

    def _patch_children(self, nodes: Sequence[Node]) -> None:
        spare: dict[tuple[Any, ...], list[Mounted]] = {}
        for child in self.children:
            spare.setdefault(_same(child.node), []).append(child)
        before = self.children
        found = [kept.pop(0) if (kept := spare.get(_same(node))) else None for node in nodes]
        self.children = []
        for node, same in zip(nodes, found, strict=True):
            kept_one = same or _of_another(node, spare)
            if kept_one is None:
                with self.element:
                    kept_one = Mounted(node, self.on_act)
            else:
                kept_one.patch(node)
            self.children.append(kept_one)
        for gone in [child for rest in spare.values() for child in rest]:
            gone.element.delete()
        if [id(c) for c in before] != [id(c) for c in self.children]:
            self.element.default_slot.children[:] = [child.element for child in self.children]
            self.element.update()


def _of_another(node: Node, spare: dict[tuple[Any, ...], list[Mounted]]) -> Mounted | None:
    """A row or cell whose place is no longer shown, for the one that is shown instead: to make one costs fifty times as much."""
    if node.tag not in ROWS_AND_CELLS:
        return None
    tag, _, *rest = _same(node)
    return next(
        (kept.pop(0) for (its, _, *other), kept in spare.items() if kept and its == tag and other == rest), None
    )


def _same(node: Node) -> tuple[Any, ...]:
    return (node.tag, node.key, node.act is None, node.html is None)


def _props(node: Node) -> dict[str, Attribute]:
    props = {k: ("" if v is True else v) for k, v in node.attrs.items()}
    if node.tag == "input" and "value" in props:
        props["^value"] = props.pop(
            "value"
        )  # the attribute: Vue sets the property anew at each patch, over what was typed
    if node.html is not None:
        props["innerHTML"] = node.html
    return props


def _name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _text(value: Attribute) -> str:
    return str(value)


def _flat(children: Iterable[Child]) -> Iterable[Node | str]:
    for child in children:
        if child is None:
            continue
        if isinstance(child, (str, Node)):
            yield child
        else:
            yield from _flat(child)
