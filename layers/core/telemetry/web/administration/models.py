"""What the models of the resources share. Stored and domain types are others; OpenAPI describes these."""

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
    """What is taken; a field nobody knows is an error."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Patch(Input):
    """Fields to change; those not sent stay as they are. null takes away what may be missing, and else is an error."""

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
    """What is given."""

    model_config = ConfigDict(populate_by_name=True)


class Page(Output, Generic[T]):
    """Some of a list; the Link header says where the rest is, and is absent when there is none."""

    items: list[T]
