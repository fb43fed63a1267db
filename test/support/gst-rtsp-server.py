"""A GStreamer RTSP server for tests: H.264 and PCMU at /live, on 127.0.0.1, a free port.

usage: gst-rtsp-server.py [--digest USER:PASSWORD] [--basic USER:PASSWORD] [--udp-only] [--bframes]
Prints `port N` once it listens, and ends when its standard input ends.
"""

import argparse
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

arguments = argparse.ArgumentParser()
arguments.add_argument("--digest")
arguments.add_argument("--basic")
arguments.add_argument("--udp-only", action="store_true")
arguments.add_argument("--bframes", action="store_true")
options = arguments.parse_args()

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service("0")

x264 = "bframes=2 b-adapt=false b-pyramid=false option-string=b-pyramid=none speed-preset=veryfast" if options.bframes else "tune=zerolatency speed-preset=ultrafast"
profile = "main" if options.bframes else "baseline"
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(
    "( videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=20/1 "
    f"! x264enc {x264} bitrate=400 key-int-max=20 ! video/x-h264,profile={profile} "
    "! rtph264pay name=pay0 pt=96 "
    "audiotestsrc is-live=true wave=sine freq=440 samplesperbuffer=160 ! audio/x-raw,rate=8000,channels=1 "
    "! mulawenc ! rtppcmupay name=pay1 pt=0 )"
)
factory.set_shared(True)
if options.udp_only:
    factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)

credentials = options.digest or options.basic
if credentials:
    user, password = credentials.split(":", 1)
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    if options.digest:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("user", "media.factory.access", True)
    permissions.add_permission_for_role("user", "media.factory.construct", True)
    factory.set_permissions(permissions)

server.get_mount_points().add_factory("/live", factory)
server.attach(None)
print("port", server.get_bound_port(), flush=True)

loop = GLib.MainLoop()
GLib.io_add_watch(GLib.IOChannel.unix_new(sys.stdin.fileno()), GLib.PRIORITY_DEFAULT, GLib.IO_HUP, lambda *_: loop.quit())
loop.run()
