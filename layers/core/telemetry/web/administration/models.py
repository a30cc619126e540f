"""What the models of all resources share. They are what OpenAPI describes; stored and domain types are separate."""

from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from telemetry.domain.product import LONGEST_PRODUCT_ID, is_product_id

T = TypeVar("T")


def _product_id(text: str) -> str:
    if not is_product_id(text):
        raise ValueError(
            f"Must have 1 to {LONGEST_PRODUCT_ID} bytes of UTF-8, neither control characters nor blanks at "
            "its ends, not begin with ~, and not be *"
        )
    return text


ProductId = Annotated[
    str,
    AfterValidator(_product_id),
    Field(min_length=1, max_length=LONGEST_PRODUCT_ID, description="As clients send it; case matters"),
]
CustomerId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Input(BaseModel):
    """A request body. An unknown field is an error."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Patch(Input):
    """Fields to change. Fields that are not sent stay as they are; null removes an optional one."""

    removable: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("Nothing to change")
        for name in self.model_fields_set - self.removable:
            if getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self

    def changes(self) -> dict[str, Any]:
        """The fields sent, by the domain's names."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Output(BaseModel):
    """A response body."""

    model_config = ConfigDict(populate_by_name=True)


class Page(Output, Generic[T]):
    """A part of a list. The Link header leads to the next part, if there is one."""

    items: list[T]
