"""A body of the kind that browsers' forms and OAuth send."""

from urllib.parse import parse_qsl

from wallet_api.errors import NotAForm

FORM = "application/x-www-form-urlencoded"
_MAX_FIELDS = 20


def parse_form(body: bytes) -> dict[str, str]:
    """The form's fields.

    Raises:
        NotAForm: It cannot be read, or names a field twice (RFC 6749, section 3.2).
    """
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise NotAForm("the form cannot be read") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise NotAForm("a parameter is given twice")
    return form
