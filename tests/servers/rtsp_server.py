"""A real RTSP server: plays H.264 MP4 files in turn, for ever, as one live camera.

Run by the system's Python, which has GStreamer:
`/usr/bin/python3 rtsp_server.py [--user NAME --password WORD] PORT FILE…`.
Prints `ready` once it listens on 127.0.0.1. Tests stop it (SIGSTOP), kill it, start it again.
"""

import argparse
from itertools import cycle

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PATH = "/street"
ROLE = "viewer"


class LiveFactory(GstRtspServer.RTSPMediaFactory):
    """One stream for all clients, made of the files' access units with running time stamps."""

    def __init__(self, files: list[str]) -> None:
        super().__init__()
        self.set_shared(True)
        self.set_launch(
            "( appsrc name=units is-live=true format=time "
            "! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96 )"
        )
        self.units = [unit for file in files for unit in access_units(file)]

    def do_configure(self, media) -> None:
        source = media.get_element().get_by_name("units")
        source.set_property("caps", self.units[0].get_caps())
        feed = Feed(self.units)
        source.connect("need-data", feed.push)


class Feed:
    """Hands a source one access unit after the other."""

    def __init__(self, units) -> None:
        self.units = cycle(units)
        self.at_ns = 0

    def push(self, source, _) -> None:
        unit = next(self.units)
        buffer = unit.get_buffer().copy_deep()
        buffer.pts = buffer.dts = self.at_ns
        self.at_ns += buffer.duration
        source.emit("push-sample", Gst.Sample.new(buffer, unit.get_caps(), None, None))


def access_units(file: str):
    """Every coded picture of an MP4, as GStreamer samples."""
    pipeline = Gst.parse_launch(
        f'filesrc location="{file}" ! qtdemux ! h264parse config-interval=-1 '
        "! video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=units sync=false"
    )
    pipeline.set_state(Gst.State.PLAYING)
    sink = pipeline.get_by_name("units")
    units = []
    while (sample := sink.emit("pull-sample")) is not None:
        units.append(sample)
    pipeline.set_state(Gst.State.NULL)
    if not units:
        raise SystemExit(f"{file}: no H.264 in it")
    return units


def protect(server, factory, user: str, password: str) -> None:
    """Let in only who gives the password."""
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    rights = Gst.Structure.new_empty(ROLE)
    for right in ("media.factory.access", "media.factory.construct"):
        rights.set_value(right, True)
    factory.add_role_from_structure(rights)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--user")
    parser.add_argument("--password", default="")
    arguments = parser.parse_args()
    Gst.init(None)
    factory = LiveFactory(arguments.files)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(arguments.port))
    if arguments.user:
        protect(server, factory, arguments.user, arguments.password)
    server.get_mount_points().add_factory(PATH, factory)
    if server.attach(None) == 0:
        raise SystemExit(f"port {arguments.port} is taken")
    print("ready", flush=True)  # noqa: T201 - the test waits for this line
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
