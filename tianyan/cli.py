"""The command line: `tianyan VERB …`. Each verb is one row of `VERBS` and one short function.

Machine output is JSON Lines on stdout and nothing else; messages go to stderr. Exit status: 0
done, 1 the work found something wrong, 2 usage or configuration.
"""

import argparse
import io
import json
import logging
import math
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from tianyan import evidence, people
from tianyan.verb import FOUND_WRONG, OK, USAGE, Verb

log = logging.getLogger(__name__)

LONGEST_DWELL_S = 2_592_000
"""As in a zone's configuration: 30 days."""


def main(args: list[str] | None = None) -> int:
    """Run the verb named in `args` (default: the process's own) and return the exit status."""
    _write_utf8()
    words = sys.argv[1:] if args is None else args
    options = _parser(words).parse_args(words)
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
    )
    logging.captureWarnings(capture=True)
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): no more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        return 130
    return status


def _write_utf8() -> None:
    """JSON is UTF-8 whatever the locale; names of files that are no text appear escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _parser(words: list[str]) -> argparse.ArgumentParser:
    """Every verb, with the options of the one in `words`: the others' needs are not loaded."""
    parser = argparse.ArgumentParser(prog="tianyan", description="天眼: from the street to a case")
    groups: dict[str, Any] = {"": parser.add_subparsers(required=True, metavar="VERB")}
    for verb in VERBS:
        group, _, name = verb.name.rpartition(" ")
        if group not in groups:
            branch = groups[""].add_parser(group, help=f"see `tianyan {group} -h`")
            groups[group] = branch.add_subparsers(required=True, metavar="VERB")
        command = groups[group].add_parser(name, help=verb.help, description=verb.help)
        if words[: len(verb.name.split())] == verb.name.split():
            verb.add_options(command)
        command.set_defaults(run=verb.run)
    return parser


def print_lines(
    lines: Callable[[], Iterable[dict[str, Any]]],
    refusals: tuple[type[Exception], ...],
    is_wrong: Callable[[dict[str, Any]], bool] = lambda _: False,
) -> int:
    """Print each object as one line; 1 when one `is_wrong`, 2 when a refusal ends it.

    `lines` is called here: what it refuses at once is said like what it refuses later.
    """
    status = OK
    try:
        for line in lines():
            print(json.dumps(line, ensure_ascii=False, allow_nan=False), flush="kind" in line)
            if is_wrong(line):
                status = FOUND_WRONG
    except refusals as fault:
        return say_refused(fault)
    return status


def say_refused(fault: Exception) -> int:
    """Say on stderr why nothing can be done, and return the exit status for it."""
    if isinstance(fault, BrokenPipeError):
        raise fault
    said = str(fault)
    if isinstance(fault, OSError) and fault.filename is not None:
        said = f"{fault.filename}: {fault.strerror}"
    print(f"tianyan: {said}", file=sys.stderr)
    return USAGE


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    if path == "-":
        yield sys.stdin.buffer
        return
    with Path(path).open("rb") as stream:
        yield stream


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        allowed = "ISO 8601 with an offset, for example 2026-10-01T08:30:00+08:00"
        raise argparse.ArgumentTypeError(f"{text!r} is no time: {allowed}") from None
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text}: needs an offset, for example {text}+08:00")
    return at


def _dwell(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= LONGEST_DWELL_S:
        allowed = f"above 0, up to {LONGEST_DWELL_S}"
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds {allowed}")
    return seconds


def _recording(text: str) -> Path:
    if "://" in text and not text.startswith("file://"):
        allowed = "a video file or a folder of pictures (a live camera: tianyan edge run)"
        raise argparse.ArgumentTypeError(f"{text!r} is no recording: name {allowed}")
    return Path(text.removeprefix("file://"))


# edge


def _edge_run(options: argparse.Namespace) -> int:
    from edge.commands import run

    return _leave(run(options.config))


def _leave(status: int) -> int:
    """End at once when a camera's thread still hangs in its driver.

    All is stored by now, and the interpreter would take away what that thread stands on: it dies
    of SIGSEGV in one of three ends with a stalled RTSP camera.
    """
    if threading.active_count() > 1:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


def _edge_check(options: argparse.Namespace) -> int:
    from edge.commands import check

    return _print_errors(options.config, check(options.config))


def _print_errors(config: Path, errors: list[str]) -> int:
    for error in errors:
        print(json.dumps({"file": str(config), "error": error}, ensure_ascii=False))
    return USAGE if errors else OK


def _edge_detect(options: argparse.Namespace) -> int:
    from edge.detect.commands import detect_paths
    from edge.detect.errors import DetectError

    return print_lines(
        lambda: detect_paths(options.paths, model=options.model, conf=options.conf),
        (DetectError, OSError),
        lambda line: "error" in line,
    )


def _edge_replay(options: argparse.Namespace) -> int:
    from edge.camera.errors import CameraError
    from edge.config import BadConfig, load_camera
    from edge.detect.commands import replay
    from edge.detect.errors import DetectError
    from scenes.truth import BadTruth, load_truth, measured

    try:
        camera = load_camera(options.camera) if options.camera else None
        truth = None
        if options.truth is not None:
            truth = load_truth(_truth_of(options))
    except (BadConfig, BadTruth) as fault:
        return say_refused(fault)

    def lines() -> Iterator[dict[str, Any]]:
        said = replay(
            options.video,
            camera=camera,
            start=options.start,
            dwell_s=options.dwell,
            model=options.model,
            evidence_dir=options.evidence,
            track=options.nmea,
        )
        return measured(truth, said) if truth else said

    return print_lines(lines, (DetectError, CameraError, OSError))


def _truth_of(options: argparse.Namespace) -> Path:
    """The file named, or the one beside the recording."""
    video: Path = options.video
    named: Path = options.truth
    return video.with_name(f"{video.name}.truth.json") if named == Path() else named


# gps


def _gps_decode(options: argparse.Namespace) -> int:
    from edge.gps.commands import decode_jt808, decode_nmea
    from edge.gps.errors import GpsError

    try:
        with _opened(options.file) as stream:
            if options.protocol == "nmea":
                lines = decode_nmea(stream, received_at=options.received_at)
            else:
                lines = decode_jt808(stream, is_hex=options.hex)
            return print_lines(lambda: lines, (GpsError,))
    except OSError as fault:
        return say_refused(fault)


def _gps_gateway(options: argparse.Namespace) -> int:
    from edge.commands import run_gateway

    return run_gateway(options.config)


# grid, track


def _grid_check(options: argparse.Namespace) -> int:
    from hub.grid.commands import check_file

    try:
        options.file.open("rb").close()
    except OSError as fault:
        return say_refused(fault)
    return print_lines(lambda: check_file(options.file), (OSError,), lambda line: "problem" in line)


def _grid_locate(options: argparse.Namespace) -> int:
    from hub.grid.commands import locate_csv
    from hub.grid.errors import GridError

    try:
        return locate_csv(options.grids, sys.stdin, sys.stdout)
    except (GridError, OSError) as fault:
        return say_refused(fault)


def _track_analyse(options: argparse.Namespace) -> int:
    from hub.grid.errors import GridError
    from hub.tracks.commands import analyse
    from hub.tracks.errors import TrackError

    return print_lines(
        lambda: analyse(options.points, options.grids, options.sites, options.tz),
        (GridError, TrackError, OSError),
        lambda line: "refused" in line,
    )


# models


def _model_list(_: argparse.Namespace) -> int:
    from training.commands import list_models

    return print_lines(list_models, (OSError,))


def _model_eval(options: argparse.Namespace) -> int:
    from training.commands import compare_models, eval_model

    if options.against is not None:
        return print_lines(
            lambda: compare_models(
                options.dataset,
                options.against,
                split=options.split,
                model=options.model,
                iou=options.iou,
                conf=options.conf,
                record=options.record,
            ),
            (ValueError, OSError),
        )
    return print_lines(
        lambda: eval_model(
            options.dataset,
            split=options.split,
            model=options.model,
            iou=options.iou,
            conf=options.conf,
        ),
        (ValueError, OSError),
    )


def _model_bench(options: argparse.Namespace) -> int:
    from training.commands import bench_models

    return print_lines(lambda: bench_models(options.models or None), (ValueError, OSError))


def _model_train(options: argparse.Namespace) -> int:
    from training.commands import train_model

    return print_lines(lambda: train_model(options), (ValueError, OSError, ImportError))


def _model_export(options: argparse.Namespace) -> int:
    from training.commands import export_model

    return print_lines(lambda: export_model(options), (ValueError, OSError, ImportError))


def _model_promote(options: argparse.Namespace) -> int:
    from training.commands import promote_model

    return print_lines(lambda: promote_model(options), (ValueError, OSError))


# hub, demo, doctor


def _hub(name: str) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        from hub import commands
        from hub.errors import HubError

        try:
            status: int = getattr(commands, name)(options.config)
        except HubError as fault:
            return say_refused(fault)
        return status

    return run


def _hub_run(options: argparse.Namespace) -> int:
    from hub.commands import run
    from hub.errors import HubError
    from tianyan.cover import open_cover

    try:
        return run(options.config, cover=open_cover())
    except HubError as fault:
        return say_refused(fault)


def _hub_check(options: argparse.Namespace) -> int:
    from hub.commands import check

    return _print_errors(options.config, check(options.config))


def _hub_verify_audit(options: argparse.Namespace) -> int:
    from hub.commands import verify_audit
    from hub.errors import HubError

    def lines() -> list[dict[str, Any]]:
        return [{"broken": fault} for fault in verify_audit(options.config)]

    return print_lines(lines, (HubError,), lambda _: True)


def _hub_export_dataset(options: argparse.Namespace) -> int:
    from hub.commands import export_dataset
    from hub.datasets.dataset import Choice
    from hub.datasets.store import Wanted
    from hub.errors import HubError

    wanted = Wanted(options.since, options.until, options.camera)
    choice = Choice(
        val_share=options.val_share, generated=options.generated, unmasked=options.unmasked
    )
    return print_lines(
        lambda: export_dataset(options.config, options.out, wanted, choice), (HubError, OSError)
    )


def _hub_add_model(options: argparse.Namespace) -> int:
    from hub.commands import add_model
    from hub.errors import HubError

    return print_lines(
        lambda: add_model(options.config, options.folder), (HubError, ValueError, OSError)
    )


def _demo(options: argparse.Namespace) -> int:
    from tianyan.demo import DemoFailed, DemoOptions, run_demo

    demo = DemoOptions(
        port=options.port,
        seconds=options.seconds,
        folder=options.dir,
        videos=tuple(options.video),
        opens_browser=options.browser,
    )
    try:
        summary = run_demo(demo)
    except DemoFailed as fault:
        return say_refused(fault)
    print(json.dumps({"summary": summary}, ensure_ascii=False))
    return FOUND_WRONG if summary["lost"] else OK


def _doctor(_: argparse.Namespace) -> int:
    from tianyan.doctor import examine

    return print_lines(examine, (), lambda line: not line["ok"] and line["needed"])


# options


def _path(name: str, text: str) -> Callable[[argparse.ArgumentParser], None]:
    def add(parser: argparse.ArgumentParser) -> None:
        parser.add_argument(name, type=Path, help=text)

    return add


def _detect_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="pictures or folders")
    _model_option(parser)
    parser.add_argument("--conf", type=float, help="least score (default: the model's own)")


def _model_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default="street-n", help="name under models/ (street-n)")


def _replay_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("video", type=_recording, help="a video file or a folder of pictures")
    parser.add_argument(
        "--camera",
        type=Path,
        metavar="FILE[#ID]",
        help="camera file, or a device's (default: one zone, all matters)",
    )
    parser.add_argument("--start", type=_moment, help="when the recording began, ISO 8601")
    parser.add_argument("--dwell", type=_dwell, metavar="S", help="dwell of every zone, seconds")
    parser.add_argument("--evidence", type=Path, metavar="DIR", help="write the pictures there")
    parser.add_argument(
        "--truth", type=Path, nargs="?", const=Path(), metavar="FILE",
        help="hold the alerts against what really happened (default: VIDEO.truth.json)",
    )  # fmt: skip
    parser.add_argument("--nmea", type=Path, help="a camera that moves: its receiver's log")
    _model_option(parser)


def _decode_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="a file, or - for stdin")
    parser.add_argument("--protocol", required=True, choices=("nmea", "jt808"))
    parser.add_argument("--hex", action="store_true", help="jt808: one chunk of hex a line")
    parser.add_argument(
        "--received-at", type=_moment, help="nmea: when it was received, to undo a week rollover"
    )


def _locate_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--grids", type=Path, required=True, help="GeoJSON")


def _permit_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="CSV or XLSX, a row a permit")
    parser.add_argument("--sites", type=Path, help="fences as GeoJSON, to check the sites' names")
    parser.add_argument("--datum", choices=("wgs84", "gcj02", "bd09"), default="wgs84")


def _permit_check(options: argparse.Namespace) -> int:
    from hub.grid.errors import GridError
    from hub.permits.commands import check

    return print_lines(
        lambda: check(options.file, options.sites, options.datum),
        (OSError, GridError),
        lambda line: "problem" in line,
    )


def _analyse_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("points", type=Path, help="CSV with time_utc,lat,lon")
    parser.add_argument("--grids", type=Path, help="GeoJSON: prints enter and exit")
    parser.add_argument("--sites", type=Path, help="GeoJSON of permitted dump sites")
    parser.add_argument("--tz", default="Asia/Shanghai", help="zone of the sites' hours")


def _eval_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", type=Path, help="data set in YOLO layout (YAML)")
    parser.add_argument("--split", default="val")
    _model_option(parser)
    parser.add_argument("--iou", type=float, default=0.5)
    parser.add_argument("--conf", type=float)
    parser.add_argument("--against", metavar="MODEL", help="compare with it, picture by picture")
    parser.add_argument("--record", type=Path, metavar="FILE", help="keep the comparison there")


def _bench_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", nargs="*", help="names under models/ (default: all)")


def _train_options(parser: argparse.ArgumentParser) -> None:
    from training.commands import add_train_options

    add_train_options(parser)


def _export_options(parser: argparse.ArgumentParser) -> None:
    from training.commands import add_export_options

    add_export_options(parser)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share from 0 to 1")
    return share


def _export_dataset_options(parser: argparse.ArgumentParser) -> None:
    _config(parser)
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    add("--since", type=_moment, help="alerts first told of from then on, ISO 8601")
    add("--until", type=_moment, help="and before then")
    add("--camera", metavar="DEVICE/CAMERA", help="of this camera only")
    add("--val-share", type=_share, default=0.2, help="of places' days that are kept for val (0.2)")
    add("--generated", action="store_true", help="take pictures of demonstrations too")
    add("--unmasked", action="store_true", help="take pictures in which faces are not blurred")


def _promote_options(parser: argparse.ArgumentParser) -> None:
    from training.commands import add_promote_options

    add_promote_options(parser)


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    _config(parser)
    parser.add_argument("folder", type=Path, metavar="MODEL_DIR", help="a promoted model's folder")


def _demo_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--seconds", type=float, help="stop by itself after so long")
    parser.add_argument("--dir", type=Path, help="keep state here (default: a temporary folder)")
    parser.add_argument("--video", type=Path, action="append", default=[], metavar="FILE")
    parser.add_argument("--no-browser", dest="browser", action="store_false")


def _no_options(_: argparse.ArgumentParser) -> None:
    pass


_config = _path("config", "YAML file")

VERBS = (
    Verb("demo", "the whole system in one command", _demo_options, _demo),
    Verb("edge run", "run the agent of a camera box or vehicle", _config, _edge_run),
    Verb("edge check", "every error of a configuration at once", _config, _edge_check),
    Verb("edge detect", "what the model sees in pictures", _detect_options, _edge_detect),
    Verb("edge replay", "a recording through the camera pipeline", _replay_options, _edge_replay),
    Verb("gps decode", "a receiver's or terminal's bytes", _decode_options, _gps_decode),
    Verb("gps gateway", "the JT/T 808 server", _config, _gps_gateway),
    Verb("grid check", "every problem of a grid file", _path("file", "GeoJSON"), _grid_check),
    Verb("grid locate", "the grids of points: CSV in, CSV out", _locate_options, _grid_locate),
    Verb("permit check", "every bad row of a table of permits", _permit_options, _permit_check),
    Verb("track analyse", "stops, trips, grids, unloading", _analyse_options, _track_analyse),
    Verb("model list", "the models that are here", _no_options, _model_list),
    Verb("model eval", "score a model on labelled pictures", _eval_options, _model_eval),
    Verb("model bench", "time the models on this machine", _bench_options, _model_bench),
    Verb("model train", "fine-tune (extra [train])", _train_options, _model_train),
    Verb("model export", "weights to ONNX (extra [train])", _export_options, _model_export),
    Verb("model promote", "a run's model into models/", _promote_options, _model_promote),
    Verb("hub run", "the server", _config, _hub_run),
    Verb("hub ingest", "one more ingest member", _config, _hub("ingest")),
    Verb("hub judge", "vehicles judged, in a process of its own", _config, _hub("judge")),
    Verb("hub migrate", "bring the database to this version", _config, _hub("migrate")),
    Verb(
        "hub export-dataset",
        "verdicts as pictures to learn from",
        _export_dataset_options,
        _hub_export_dataset,
    ),
    Verb("hub add-model", "a model that can be rolled out", _add_model_options, _hub_add_model),
    Verb("hub add-user", "a person who may log in", people.add_options, people.add),
    Verb(
        "hub set-password",
        "another password for a person",
        people.password_options,
        people.set_password,
    ),
    Verb("hub verify-audit", "whether anybody changed the history", _config, _hub_verify_audit),
    Verb("hub check", "every error of a configuration at once", _config, _hub_check),
    Verb(
        "evidence verify",
        "whether evidence is what was signed",
        evidence.verify_options,
        evidence.verify,
    ),
    Verb(
        "evidence export",
        "the evidence of an alert or case, to be checked anywhere",
        evidence.export_options,
        evidence.export,
    ),
    Verb("doctor", "what is installed, reachable and missing", _no_options, _doctor),
)


if __name__ == "__main__":
    sys.exit(main())
