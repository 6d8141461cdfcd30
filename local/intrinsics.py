"""CloudFormation's YAML: its tags, and what its intrinsic functions evaluate to.

Evaluation is lazy: only what is asked for is resolved, so roles, policies and alarms may use whatever AWS knows.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

# How a reference to a resource is answered: its logical id and an attribute, which `None` means `Ref`.
Lookup = Callable[[str, str | None], object]

NO_VALUE = object()
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")


class TemplateError(ValueError):
    """A construct of the template that the laptop edition cannot understand: names the resource and the property."""


class _Loader(yaml.SafeLoader):
    """Reads `!Sub x` as `{"Fn::Sub": "x"}`, the long form."""


def _long_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _long_form)


def load_yaml(text: str) -> dict[str, Any]:
    """Raises TemplateError for what is not YAML or not a mapping."""
    loader = _Loader(text)
    try:
        document = loader.get_single_data()
    except yaml.YAMLError as error:
        raise TemplateError(f"the template is not valid YAML: {error}") from error
    finally:
        loader.dispose()
    if not isinstance(document, dict):
        raise TemplateError("the template is not a mapping")
    return document


class Resolver:
    """Evaluates intrinsic functions with `values` (parameters and pseudo parameters) and `lookup` (resources)."""

    def __init__(self, template: Mapping[str, Any], values: Mapping[str, object], lookup: Lookup) -> None:
        self._conditions: Mapping[str, Any] = template.get("Conditions") or {}
        self._mappings: Mapping[str, Any] = template.get("Mappings") or {}
        self._values = values
        self._lookup = lookup
        self._functions: Mapping[str, Callable[[Any, str], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::If": self._if,
            "Fn::FindInMap": self._find_in_map,
            "Fn::Select": lambda value, where: self.resolve(value[1], where)[int(self.resolve(value[0], where))],
            "Fn::Split": lambda value, where: str(self.resolve(value[1], where)).split(value[0]),
            "Fn::Base64": lambda value, where: base64.b64encode(str(self.resolve(value, where)).encode()).decode(),
            "Fn::ImportValue": self._import_value,
        }

    def resolve(self, value: Any, where: str) -> Any:
        """`value` without intrinsics; entries that are `AWS::NoValue` are left out. `where` is for the error."""
        if isinstance(value, list):
            resolved = (self.resolve(item, where) for item in value)
            return [item for item in resolved if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name in self._functions:
                return self._call(name, argument, where)
            if isinstance(name, str) and name.startswith("Fn::"):
                raise TemplateError(f"{where}: {name} is not supported by the laptop edition")
        pairs = ((key, self.resolve(item, f"{where}.{key}")) for key, item in value.items())
        return {key: item for key, item in pairs if item is not NO_VALUE}

    def holds(self, condition: Any, where: str) -> bool:
        """Whether a condition, by name or as an expression, is true."""
        if isinstance(condition, str):
            if condition not in self._conditions:
                raise TemplateError(f"{where}: there is no condition {condition}")
            return self.holds(self._conditions[condition], f"Conditions.{condition}")
        name, argument = next(iter(condition.items()))
        if name == "Condition":
            return self.holds(argument, where)
        if name == "Fn::Equals":
            left, right = (self.resolve(side, where) for side in argument)
            return str(left) == str(right)
        if name == "Fn::Not":
            return not self.holds(argument[0], where)
        if name == "Fn::And":
            return all(self.holds(part, where) for part in argument)
        if name == "Fn::Or":
            return any(self.holds(part, where) for part in argument)
        raise TemplateError(f"{where}: {name} is not a condition function")

    def _call(self, name: str, argument: Any, where: str) -> Any:
        try:
            return self._functions[name](argument, where)
        except (IndexError, KeyError, TypeError, AttributeError) as error:
            raise TemplateError(f"{where}: {name} cannot be evaluated: {argument!r}") from error

    def _ref(self, name: str, where: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self._values:
            return self._values[name]
        return self._resource(name, None, where)

    def _get_att(self, argument: list[str], where: str) -> object:
        resource, attribute = argument
        return self._resource(resource, str(self.resolve(attribute, where)), where)

    def _resource(self, name: str, attribute: str | None, where: str) -> object:
        try:
            return self._lookup(name, attribute)
        except LookupError as error:
            raise TemplateError(f"{where}: {error.args[0]}") from error

    def _sub(self, argument: Any, where: str) -> str:
        text, given = argument if isinstance(argument, list) else (argument, {})
        own = {name: self.resolve(value, where) for name, value in given.items()}

        def substitute(match: re.Match[str]) -> str:
            literal, name = match.group(1), match.group(2).strip()
            if literal:
                return f"${{{name}}}"
            if name in own:
                return str(own[name])
            if "." in name and name not in self._values:
                return str(self._get_att(name.split(".", 1), where))
            return str(self._ref(name, where))

        return _PLACEHOLDER.sub(substitute, text)

    def _join(self, argument: list[Any], where: str) -> str:
        separator, parts = argument
        return str(separator).join(str(part) for part in self.resolve(parts, where))

    def _if(self, argument: list[Any], where: str) -> Any:
        condition, then, otherwise = argument
        return self.resolve(then if self.holds(condition, where) else otherwise, where)

    def _find_in_map(self, argument: list[Any], where: str) -> Any:
        name, first, second = (self.resolve(part, where) for part in argument[:3])
        return self._mappings[name][str(first)][str(second)]

    def _import_value(self, argument: Any, where: str) -> Any:
        raise TemplateError(f"{where}: {self.resolve(argument, where)!r} is imported from another stack")


def expand_loops(resources: Mapping[str, Any], resolver: Resolver) -> dict[str, Any]:
    """Resources with each `Fn::ForEach` of AWS::LanguageExtensions replaced by what it makes."""
    expanded: dict[str, Any] = {}
    for name, resource in resources.items():
        if not name.startswith("Fn::ForEach::"):
            expanded[name] = resource
            continue
        try:
            identifier, collection, body = resource
            for value in resolver.resolve(collection, name):
                expanded.update(expand_loops(_substituted(body, identifier, str(value)), resolver))
        except (TypeError, ValueError, AttributeError) as error:
            raise TemplateError(f"{name}: a loop is an identifier, a list and resources") from error
    return expanded


def _substituted(node: Any, identifier: str, value: str) -> Any:
    if isinstance(node, str):
        return node.replace(f"${{{identifier}}}", value).replace(f"&{{{identifier}}}", re.sub(r"\W", "", value))
    if isinstance(node, list):
        return [_substituted(item, identifier, value) for item in node]
    if node == {"Ref": identifier}:
        return value
    if isinstance(node, dict):
        return {
            _substituted(key, identifier, value): _substituted(item, identifier, value) for key, item in node.items()
        }
    return node
