"""The API's description, made from the same table that the application is routed by."""

import re
from collections.abc import Iterable

import attune
from origin.http.openapi_schemas import SCHEMAS, Schema, reference
from origin.http.routes.endpoint import Body, Endpoint, Parameter


def openapi(endpoints: Iterable[Endpoint]) -> Schema:
    """Return the OpenAPI 3.1 document of the endpoints."""
    paths: dict[str, dict[str, object]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {"title": "attune origin", "version": attune.__version__},
        "paths": paths,
        "components": {"schemas": SCHEMAS},
    }


def operation(endpoint: Endpoint) -> Schema:
    """Return the description of one endpoint."""
    names = re.findall(r"{(\w+)}", endpoint.path)
    described: dict[str, object] = {
        "operationId": endpoint.handler.__name__,
        "summary": endpoint.summary,
        "parameters": [
            *(_path_parameter(name) for name in names),
            *(_query_parameter(parameter) for parameter in endpoint.parameters),
        ],
        "responses": {
            str(status): _response(status, meaning, endpoint.returns)
            for status, meaning in endpoint.answers.items()
        },
    }
    if endpoint.accepts is not None:
        described["requestBody"] = {"required": True, "content": _content(endpoint.accepts)}
    return described


def _path_parameter(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameter(parameter: Parameter) -> Schema:
    schema: dict[str, object] = {"default": parameter.default}
    if isinstance(parameter.default, int):
        schema |= {"type": "integer", "minimum": 1, "maximum": parameter.maximum}
    else:
        schema |= {"type": "string"}
    return {
        "name": parameter.name,
        "in": "query",
        "required": False,
        "description": parameter.description,
        "schema": schema,
    }


def _response(status: int, meaning: str, returns: Body) -> Schema:
    if status in (204, 304):
        return {"description": meaning}
    # The origin says what is wrong in the same way everywhere; only 503 of /readyz says more.
    content = _content(Body(("application/json",), "Error")) if status >= 400 else _content(returns)
    return {"description": meaning, "content": content}


def _content(body: Body) -> Schema:
    schema: Schema = reference(body.schema) if body.schema else {}
    return {media_type: {"schema": schema} for media_type in body.media_types}
