"""What FastAPI reads of an endpoint, read once per process and not for every app.

A hub has 250 endpoints, and each test that calls one has a hub of its own: reading their
signatures and building their validators took most of such a test's time. Endpoints and their
dependencies are new functions in each app (they close over the test's store), but their code
and signatures, which is all that FastAPI reads, are the same. Where one is not, it is read anew.
"""

from dataclasses import replace
from functools import cache
from types import FunctionType
from typing import get_args, get_origin

from annotated_types import BaseMetadata
from fastapi import params, routing
from fastapi.datastructures import DefaultPlaceholder
from pydantic.fields import FieldInfo

_KNOWN = {}
_OF_THE_APP = "dependency_overrides_provider"


def install():
    """From now on routes are known again; does nothing with a FastAPI that works differently."""
    read = getattr(routing, "_populate_api_route_state", None)
    if read is None or read.__module__ == __name__:
        return

    def populate(route, path, endpoint, **options):
        if not isinstance(endpoint, FunctionType):
            read(route, path, endpoint, **options)
            return
        app = options.get(_OF_THE_APP)
        asked = {name: value for name, value in options.items() if name != _OF_THE_APP}
        key = (type(route), path, endpoint.__code__)
        for known, given, state in _KNOWN.get(key, ()):
            twins = {}
            if is_same(known, endpoint, twins) and is_same(given, asked, twins):
                for name, value in state.items():
                    setattr(route, name, value.copy() if type(value) in {dict, list} else value)
                route.endpoint = endpoint
                route.dependencies = list(options.get("dependencies") or ())
                route.dependant = _bound(state["dependant"], twins)
                setattr(route, _OF_THE_APP, app)
                return
        before = dict(vars(route))
        read(route, path, endpoint, **options)
        state = {name: it for name, it in vars(route).items() if before.get(name, route) is not it}
        state.pop(_OF_THE_APP, None)
        _KNOWN.setdefault(key, []).append((endpoint, asked, state))

    routing._populate_api_route_state = populate


def is_same(one, other, twins):
    """Whether FastAPI reads the same of both; False where that is not sure.

    `twins`: gets for each function of the first the one that stands in its place.
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, FunctionType):
        twins[one] = other
        return one.__code__ is other.__code__ and _all_same(
            _signature(one), _signature(other), twins
        )
    if isinstance(one, dict):
        return list(one) == list(other) and _all_same(one.values(), other.values(), twins)
    if isinstance(one, list | tuple):
        return _all_same(one, other, twins)
    parts = _parts(one)
    return bool(one == other) if parts is None else _all_same(parts, _parts(other), twins)


def _all_same(those, others, twins):
    return len(those) == len(others) and all(
        one is other or is_same(one, other, twins) for one, other in zip(those, others, strict=True)
    )


def _parts(it):
    """What a thing is made of that does not know its equal; None for others."""
    if isinstance(it, FieldInfo):
        slots = [getattr(it, name, None) for name in _slots(type(it))]
        return [*slots, *getattr(it, "__dict__", {}).items()]
    if isinstance(it, params.Depends | DefaultPlaceholder) or (
        isinstance(it, BaseMetadata) and hasattr(it, "__dict__")
    ):
        return [*vars(it).items()]
    if (origin := get_origin(it)) is not None:
        return [origin, *getattr(it, "__metadata__", ()), *get_args(it)]
    return None


@cache
def _slots(kind):
    return [name for each in kind.__mro__ for name in getattr(each, "__slots__", ())]


def _signature(function):
    return function.__defaults__, function.__kwdefaults__, function.__annotations__, vars(function)


def _bound(dependant, twins):
    """The same needs, met by the functions of another app."""
    needed = [_bound(each, twins) for each in dependant.dependencies]
    call = twins.get(dependant.call, dependant.call)
    return replace(dependant, call=call, dependencies=needed)
