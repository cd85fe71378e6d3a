"""Standing conditions: what a router is like for as long as they stand.

Each has a seed. Whether a request is hit follows from the seed, the request's method and path,
and how often that request came before: the same conditions treat the same requests the same way,
whatever else is asked at the same time.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1, description="Of the requests that fit, from 0 to 1")]


class Selection(BaseModel):
    """Which requests it is about; all that is left out fits every request."""

    model_config = ConfigDict(extra="forbid", strict=True)

    method: Annotated[str | None, Field(description="Only requests of this method")] = None
    path: Annotated[str | None, Field(description="Only where the path contains this")] = None
    authorization: Annotated[str | None, Field(description="Only with this header's value")] = None


class Condition(Selection):
    """What all conditions have."""

    seed: Annotated[int, Field(description="Another seed hits other requests")] = 0


class Latency(Condition):
    """Every request waits before it is processed: `seconds`, and up to `spread_seconds` more."""

    kind: Literal["latency"]
    share: Share = 1.0
    seconds: Annotated[float, Field(ge=0, le=600)] = 0.0
    spread_seconds: Annotated[float, Field(ge=0, le=600)] = 0.0


class Errors(Condition):
    """A share of the requests is answered with an error."""

    kind: Literal["errors"]
    share: Share = 0.1
    statuses: Annotated[
        list[Annotated[int, Field(ge=400, le=599)]],
        Field(min_length=1, max_length=20, description="Chosen from evenly"),
    ] = [500]
    effect: Annotated[bool, Field(description="The request takes effect before it fails")] = False


class LostReplies(Condition):
    """A share of the requests takes effect, and the connection closes within the answer."""

    kind: Literal["lost_replies"]
    share: Share = 0.1


class Duplicates(Condition):
    """A share of the requests is processed twice, one after the other."""

    kind: Literal["duplicates"]
    share: Share = 0.1
    answer: Annotated[
        Literal["first", "second"], Field(description="Which of both answers is sent")
    ] = "second"


class StrangeAnswers(Condition):
    """A share of the requests is answered with something that no router says."""

    kind: Literal["strange_answers"]
    share: Share = 0.1
    manners: Annotated[
        list[Literal["html", "empty", "broken_json", "redirect", "huge", "trickle"]],
        Field(min_length=1, max_length=20, description="Chosen from evenly"),
    ] = ["html"]
    effect: Annotated[bool, Field(description="The request takes effect before")] = False


class RateLimit(Condition):
    """More requests with one key than this are answered with 429 and `Retry-After`."""

    kind: Literal["rate_limit"]
    per_second: Annotated[float, Field(gt=0, le=100_000)] = 10.0
    burst: Annotated[int, Field(ge=1, le=1_000_000, description="At once, after a rest")] = 10


class Downtime(Condition):
    """Between two instants of the sandbox's clock there is no router."""

    kind: Literal["downtime"]
    start: Annotated[AwareDatetime, Field(alias="from", strict=False)]
    until: Annotated[AwareDatetime, Field(strict=False)]
    manner: Annotated[
        Literal["unavailable", "closed", "maintenance_page"],
        Field(description="503; a connection that closes; a web page with status 200"),
    ] = "unavailable"
    announced: Annotated[bool, Field(description="`Retry-After` says when it ends")] = False


AnyCondition = Annotated[
    Latency | Errors | LostReplies | Duplicates | StrangeAnswers | RateLimit | Downtime,
    Field(discriminator="kind"),
]
