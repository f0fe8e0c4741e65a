"""What is not worth a mutant, each rule with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import libcst as cst

#: The nodes around a node, the module first.
Path = tuple[cst.CSTNode, ...]


@dataclass(frozen=True)
class Change:
    """One change that could be made."""

    operator: str
    node: cst.CSTNode
    changed: cst.CSTNode
    path: Path

    def is_within(self, *kinds: type[cst.CSTNode]) -> bool:
        return any(isinstance(each, kinds) for each in self.path)

    @property
    def around(self) -> Path:
        """What is around it, and itself."""
        return (*self.path, self.node)


def _is_type(change: Change) -> bool:
    """Annotations and decorators (`frozen=True`), aliases of types, what only the type checker imports."""
    return change.is_within(cst.Annotation, cst.Decorator, cst.TypeParameters) or any(
        isinstance(each, cst.If) and isinstance(each.test, cst.Name) and each.test.value == "TYPE_CHECKING"
        for each in change.path
    )


def _is_assert(change: Change) -> bool:
    return change.is_within(cst.Assert)


def _is_logged(change: Change) -> bool:
    return any(
        isinstance(each, cst.Call)
        and isinstance(each.func, cst.Attribute)
        and isinstance(each.func.value, cst.Name)
        and each.func.value.value == "log"
        for each in (*change.around, getattr(change.node, "value", None))
    ) or _is_named(change, "log")


def _is_named(change: Change, *names: str) -> bool:
    """Whether it is in an assignment to one of these names."""
    return any(
        isinstance(each, cst.Assign)
        and isinstance(each.targets[0].target, cst.Name)
        and each.targets[0].target.value in names
        for each in change.around
    )


def _is_signal(change: Change) -> bool:
    """`os.kill(pid, 0)`, which only asks."""
    return any(
        isinstance(each, cst.Call) and isinstance(each.func, cst.Attribute) and each.func.attr.value == "kill"
        for each in change.around
    )


def _is_words(change: Change) -> bool:
    """A sentence, with a blank in it, or where a message stands; what a refusal hands on to its class."""
    match change:
        case Change("string", cst.SimpleString(value=value)):
            return " " in value or change.is_within(cst.Raise)
        case Change("call", cst.Expr(cst.Call(func=cst.Attribute(attr=cst.Name("__init__"))))):
            return True
    return False


def _is_the_same_string_again(change: Change) -> bool:
    """mutmut changes a string in three ways; the first is the one between two XX."""
    return change.operator == "string" and "XX" not in cst.ensure_type(change.changed, cst.SimpleString).value


def _is_vocabulary(change: Change) -> bool:
    """Values of enums; status and code of a refusal."""
    classes = [each for each in change.path if isinstance(each, cst.ClassDef)]
    if not classes or change.is_within(cst.FunctionDef):
        return False
    bases = {cst.Module([]).code_for_node(base.value) for base in classes[-1].bases}
    return bool(bases & {"StrEnum", "Enum"}) or _is_named(change, "status", "code")


def _is_collaborator(change: Change) -> bool:
    """`self._clock = clock`."""
    within = [each for each in change.path if isinstance(each, cst.FunctionDef)]
    return change.operator == "assignment" and bool(within) and within[-1].name.value == "__init__"


def _is_refused_by_types(change: Change) -> bool:
    """None for a name or for a positional argument, an argument too few, a lambda that gives None, a fraction."""
    match change.operator:
        case "swap_op":
            return isinstance(getattr(change.changed, "operator", None), cst.Divide)
        case "assignment":
            return not any(
                isinstance(target.target, cst.Attribute) for target in getattr(change.node, "targets", ())
            )
        case "lambda":
            return True
        case "arg_removal":
            return _is_argument_refused(change)
    return False


#: What takes as many conditions, columns or values as it is given.
_TAKES_MANY = {"where", "and_", "or_", "having", "max", "min"}


def _is_argument_refused(change: Change) -> bool:
    before, after = cst.ensure_type(change.node, cst.Call), cst.ensure_type(change.changed, cst.Call)
    if len(before.args) == len(after.args):
        pairs = zip(before.args, after.args, strict=True)
        return next(old.keyword is None for old, new in pairs if old is not new)
    name = before.func.attr if isinstance(before.func, cst.Attribute) else before.func
    takes_many = isinstance(name, cst.Name) and name.value in _TAKES_MANY
    kept = sum(each.keyword is None for each in after.args)
    return not takes_many and kept < sum(each.keyword is None for each in before.args)


@dataclass(frozen=True)
class Rule:
    """Why some changes are left out."""

    name: str
    reason: str
    applies: Callable[[Change], bool]


RULES = (
    Rule("types", "annotations, decorators and imports for types do nothing at run time", _is_type),
    Rule("signals", "another signal would really reach some process of this machine", _is_signal),
    Rule("asserts", "an assert narrows a type; no input is refused by one", _is_assert),
    Rule("log lines", "what is said to the log is no behaviour that anybody relies on", _is_logged),
    Rule("words", "a sentence may be put otherwise; which refusal it is must not change", _is_words),
    Rule("strings again", "another spelling of a string tells no more than the first", _is_the_same_string_again),
    Rule("vocabulary", "the database's CHECKs and the tests of pages and API hold these values", _is_vocabulary),
    Rule("collaborators", "without what `__init__` was given nothing works at all", _is_collaborator),
    Rule("refused by types", "mypy refuses it before any test runs", _is_refused_by_types),
)  # fmt: skip


def why_skipped(change: Change) -> str | None:
    """The first rule that leaves a change out, by its name."""
    return next((rule.name for rule in RULES if rule.applies(change)), None)
