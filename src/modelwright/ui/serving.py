"""The commands of a model in service: serve, label, erase, token, export."""

from __future__ import annotations

from typing import Any

import click

from modelwright.ui.command import Command, as_text, json_option, ledger_option


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
@click.option("--workers", type=int, help="Processes that answer.  [default: one a core, four at most]")
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
@click.option("--watch", metavar="TIME", help="Watch the model beside it, so often (1h); /metrics tells what is seen.")
@json_option
def serve(
    model: str,
    watch: str | None,
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
    from modelwright.core.settings import parse_duration
    from modelwright.flows.serve import Served, Serving
    from modelwright.flows.serve import serve as verb

    if bool(tls_cert) != bool(tls_key):
        raise InvalidSetting("TLS needs a certificate and its key", where="--tls-cert, --tls-key", fix="give both")
    if tls_cert and tls_key:
        options["tls"] = (tls_cert, tls_key)
    if watch is not None:
        options["watch_seconds"] = parse_duration(watch, where="--watch")
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


@click.command(cls=Command)
@click.argument("model")
@click.argument("source")
@ledger_option
@json_option
def label(model: str, source: str, ledger: str, as_json: bool) -> None:
    """Hand in what became of rows that were predicted.

    SOURCE is a table with the columns prediction_id and value, and perhaps time (when it became known).
    """
    from modelwright.flows.label import label as verb

    done = verb(model, source, ledger=ledger)
    if as_json:
        click.echo(as_text(done.to_dict()))
        return
    words = ", ".join(f"{count:,} {name}" for name, count in done.to_dict().items() if count or name == "added")
    click.echo(f"outcomes: {words}")


@click.command(cls=Command)
@click.argument("column")
@click.argument("value")
@ledger_option
@json_option
def erase(column: str, value: str, ledger: str, as_json: bool) -> None:
    """Remove one person's predictions: every one whose COLUMN holds VALUE, with its outcomes."""
    from modelwright.flows.label import erase as verb

    n = verb(column, value, ledger=ledger)
    click.echo(as_text({"erased": n}) if as_json else f"{n:,} predictions erased")


@click.group()
def token() -> None:
    """Make, list and revoke the tokens of a service. Only their hashes are kept."""


_file_option = click.option("--file", default="tokens.json", show_default=True, help="Of `serve --tokens FILE`.")


@token.command("new", cls=Command)
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, default=("predict",), help="predict, label, admin; may be repeated.")
@click.option("--days", type=float, help="After which it is not accepted any more.")
@_file_option
@json_option
def token_new(name: str, scopes: tuple[str, ...], days: float | None, file: str, as_json: bool) -> None:
    """Make a token; it is told this once."""
    from modelwright.flows.tokens import make

    made = make(name, scopes, file=file, days=days)
    click.echo(as_text({"name": name, "token": made}) if as_json else made)


@token.command("list", cls=Command)
@_file_option
@json_option
def token_list(file: str, as_json: bool) -> None:
    """List names and scopes."""
    from modelwright.flows.tokens import listed

    found = listed(file)
    lines = [f"{t['name']}: {', '.join(map(str, t['scopes']))}" for t in found]  # type: ignore[call-overload]
    click.echo(as_text({"tokens": found}) if as_json else "\n".join(lines) or "no tokens")


@token.command("revoke", cls=Command)
@click.argument("name")
@_file_option
@json_option
def token_revoke(name: str, file: str, as_json: bool) -> None:
    """Remove a token; running services refuse it within two seconds."""
    from modelwright.flows.tokens import revoke

    revoke(name, file=file)
    click.echo(as_text({"revoked": name}) if as_json else f"{name} revoked")


@click.command(cls=Command)
@click.argument("package")
@click.option("--to", required=True, metavar="FORM", help="onnx, mlflow, script, docker, helm or kserve.")
@click.option("--out", metavar="PATH", help="Where to write.  [default: beside the package]")
@click.option("--rows", metavar="TABLE", help="Real rows to compare the answers on.  [default: the golden rows]")
@click.option(
    "--image", default="", metavar="NAME", help="For helm and kserve: the image.  [default: the model's name]"
)
@json_option
def export(package: str, to: str, out: str | None, rows: str | None, image: str, as_json: bool) -> None:
    """Write a package in another form, once its answers were compared.

    onnx is the graph from the feature matrix to the scores, mlflow a folder that MLflow loads, script Python that
    trains the model again and says whether it became the same. docker is a folder to build an image of the service
    from, helm a chart and kserve an InferenceService that run it.
    """
    from modelwright.flows.export import export as verb

    done = verb(package, to=to, out=out, rows=rows, image=image)
    likeness = f": scores at most {done.apart:.2g} apart on {done.rows:,} rows" if done.rows else ""
    said = f"{done.path}{likeness}"
    click.echo(as_text(done.to_dict()) if as_json else said)


COMMANDS = (serve, label, erase, token, export)
