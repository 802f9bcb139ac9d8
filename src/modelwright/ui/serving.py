"""The commands of a model in service: serve, token."""

from __future__ import annotations

from typing import Any

import click

from modelwright.ui.command import Command, as_text, json_option


@click.command(cls=Command)
@click.argument("model")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to bind; others than loopback need a token."
)
@click.option("--port", default=8080, show_default=True, help="0 for any that is free.")
@click.option(
    "--token", metavar="TOKEN", help="Allows everything; better in MODELWRIGHT_TOKEN. Without it one is made."
)
@click.option("--tokens", metavar="FILE", help="Tokens with scopes, made with `modelwright token new`.")
@click.option("--no-token", "is_open", is_flag=True, help="Ask for no token; on loopback only.")
@click.option("--name", metavar="NAME", help="What the model is asked under.  [default: from the file's name]")
@click.option("--workers", default=1, show_default=True, help="Processes that answer.")
@click.option(
    *("--ledger", "ledger"),
    metavar="FILE|URL",
    help="Where predictions are recorded.  [default: .modelwright/ledger.db]",
)
@click.option("--no-ledger", is_flag=True, help="Record nothing.")
@click.option("--fsync", is_flag=True, help="Answers are on the disk before they are given.")
@click.option("--config", metavar="FILE", help="TOML: policies, limits, private columns, canary, shadow.")
@click.option("--tls-cert", metavar="FILE", help="Certificate, PEM.")
@click.option("--tls-key", metavar="FILE", help="Its key, PEM.")
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME", help="A further name it may be asked under.")
@click.option("--verbose", "is_verbose", is_flag=True, help="Log each request.")
@click.option("--trace", "is_traced", is_flag=True, help="Send OpenTelemetry spans to OTEL_EXPORTER_OTLP_ENDPOINT.")
@json_option
def serve(
    model: str,
    tls_cert: str | None,
    tls_key: str | None,
    ledger: str | None,
    no_ledger: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Answer for a model over HTTP, until Ctrl-C or SIGTERM.

    MODEL is the path of a package. A page to try it is at the address that is printed; programs ask POST /predict,
    /invocations (MLflow) or /v2/models/NAME/infer (Open Inference Protocol), as /openapi.json says.
    """
    from modelwright.core.errors import InvalidSetting
    from modelwright.flows.serve import Served, Serving
    from modelwright.flows.serve import serve as verb

    if bool(tls_cert) != bool(tls_key):
        raise InvalidSetting("TLS needs a certificate and its key", where="--tls-cert, --tls-key", fix="give both")
    if tls_cert and tls_key:
        options["tls"] = (tls_cert, tls_key)
    if no_ledger or ledger:
        options["ledger"] = "" if no_ledger else ledger

    def tell(served: Served) -> None:
        click.echo(as_text(served.to_dict()) if as_json else _words(served))

    verb(model, Serving(**options), tell=tell)


def _words(served: Any) -> str:
    lines = [f"{served.model} {served.version} answers at {served.url}"]
    if served.token:
        lines += [f"token: {served.token}", f"try it: {served.url}/#token={served.token}"]
    lines.append(f"recorded in {served.ledger}" if served.ledger else "nothing is recorded")
    return "\n".join(lines)


COMMANDS = (serve,)
