"""The routes that list and describe the models."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.routes.openapi import by_name, refusals
from app.versions.champions import Champion
from app.versions.models import Models
from app.versions.served import Served


class ModelSummary(BaseModel):
    """One model of the registry."""

    name: str
    state: Literal["in service", "not in service"]
    champion: Annotated[int | None, Field(description="The version that the registry names.")]
    serving: Annotated[int | None, Field(description="The version that answers.")]
    reason: Annotated[str | None, Field(description="Why the two differ, or nothing answers.")] = None


class ModelList(BaseModel):
    """All models of the registry."""

    models: list[ModelSummary]


class ModelDetail(ModelSummary):
    """One model, and the fields and metrics of the version that answers, if one does."""

    versions: list[int]
    created: str | None = None
    task: dict[str, Any] | None = None
    request_schema: Annotated[dict[str, Any] | None, Field(description="JSON Schema of a request.")] = None
    example: Annotated[dict[str, Any] | None, Field(description="A request that works as it stands.")] = None
    metrics: dict[str, Any] | None = None


def router(models: Models) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/v1/models", tags=["models"], generate_unique_id_function=by_name)

    @routes.get("", response_model_exclude_unset=True)
    async def list_models() -> ModelList:
        """Every model of the registry, in service or not."""
        return ModelList(models=[ModelSummary(**_summary(n, c)) for n, c in models.champions().items()])

    @routes.get("/{name}", response_model_exclude_unset=True, responses=refusals(404, 422, 503))
    async def describe_model(name: str) -> ModelDetail:
        """One model: its versions, and the fields and metrics of its champion."""
        champion = models.champion(name)
        served = _detail(champion.served) if champion.served else {}
        return ModelDetail(**_summary(name, champion), versions=await models.versions(name), **served)

    @routes.post("/{name}/reload", response_model_exclude_unset=True, responses=refusals(404, 409, 422, 503))
    async def reload_model(name: str) -> ModelSummary:
        """Load the champion that the registry names now; refused with the reason if that fails.

        Other replicas follow when they next look at the registry.
        """
        return ModelSummary(**_summary(name, await models.reload(name)))

    return routes


def _summary(name: str, champion: Champion) -> dict[str, Any]:
    served = champion.served
    summary = {
        "name": name,
        "state": "in service" if served else "not in service",
        "champion": champion.version,
        "serving": served.manifest.version if served else None,
    }
    return summary if champion.reason is None else {**summary, "reason": champion.reason}


def _detail(served: Served) -> dict[str, Any]:
    return {
        "created": served.manifest.created,
        "task": served.manifest.task.model_dump(mode="json"),
        "request_schema": served.types.json_schema(),
        "example": served.example(),
        "metrics": served.manifest.metrics,
    }
