"""The program that asks at an address whether a Ray is there: in a process of its own, which can be ended any time.

It is given an address and a limit in seconds, reads the token from the first line of standard input, and prints what
is wrong there; nothing if nothing is. Ray itself is not loaded, as that takes longer than the answer.
"""

import sys

import grpc

QUESTION = "/ray.rpc.NodeInfoGcsService/GetClusterId"
"""What a driver asks first when it joins; the answer to an empty question is the cluster's id."""
WORDS = {
    grpc.StatusCode.UNAVAILABLE: "nobody who speaks its language listens there",
    grpc.StatusCode.DEADLINE_EXCEEDED: "what listens there does not answer",
    grpc.StatusCode.UNAUTHENTICATED: "its token is another",
    grpc.StatusCode.PERMISSION_DENIED: "its token is another",
    grpc.StatusCode.UNIMPLEMENTED: "what listens there is not Ray's gcs_server",
}


def main(address: str, max_seconds: str) -> None:
    """Ask once."""
    token = sys.stdin.readline().strip()
    metadata = [("authorization", f"Bearer {token}")] if token else []
    # Ray is asked without a proxy, too.
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        ask = channel.unary_unary(QUESTION)
        try:
            ask(b"", timeout=float(max_seconds), metadata=metadata)
        except grpc.RpcError as error:
            print(WORDS.get(error.code(), str(error.code().name)), error.details(), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
