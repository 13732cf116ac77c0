"""Program that asks whether a Ray answers at an address: a separate process, which can be ended at any time.

Its arguments are an address and a time limit in seconds; it reads the token from the first line of standard input and
prints what is wrong, or nothing. It does not import Ray, which would take longer than the answer.
"""

import sys

import grpc

QUESTION = "/ray.rpc.NodeInfoGcsService/GetClusterId"
"""The first call of a driver that joins; an empty request is answered with the cluster's id."""
WORDS = {
    grpc.StatusCode.UNAVAILABLE: "no server that speaks gRPC listens there",
    grpc.StatusCode.DEADLINE_EXCEEDED: "what listens there does not answer",
    grpc.StatusCode.UNAUTHENTICATED: "its token is a different one",
    grpc.StatusCode.PERMISSION_DENIED: "its token is a different one",
    grpc.StatusCode.UNIMPLEMENTED: "what listens there is not Ray's gcs_server",
}


def main(address: str, max_seconds: str) -> None:
    """Ask once, and print what is wrong."""
    token = sys.stdin.readline().strip()
    metadata = [("authorization", f"Bearer {token}")] if token else []
    # Ray connects without a proxy, so this does too.
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        ask = channel.unary_unary(QUESTION)
        try:
            ask(b"", timeout=float(max_seconds), metadata=metadata)
        except grpc.RpcError as error:
            print(WORDS.get(error.code(), str(error.code().name)), error.details(), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
