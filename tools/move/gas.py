"""Computation units of the contracts' pure functions on the real Sui VM (sui-sandbox, PyPI), offline.

Reads {"modules": [base64]} on standard input, prints one JSON object. Started by gas.mjs, which makes its environment.
What this judge cannot do is in docs/CONTRACTS.md: it shows no object that a transaction made, so nothing of several
transactions can be played on it.
"""

import json
import struct
import sys

import sui_sandbox

PACKAGE = "0x" + "0" * 64
SENDER = "0x" + "11" * 32


def uleb(number):
    out = b""
    while True:
        number, low = number >> 7, number & 0x7F
        if number == 0:
            return out + bytes([low])
        out += bytes([low | 0x80])


def u64(number):
    return struct.pack("<Q", number)


def vector(items):
    return uleb(len(items)) + b"".join(items)


def blob(data):
    return uleb(len(data)) + data


def allocation(count):
    """1,000,001 units over weights 1 … count, ties by 64-byte keys: what one receipt of so many uses needs."""
    keys = [bytes([i]) * 64 for i in range(count)]
    return [u64(1_000_001), vector([u64(i + 1) for i in range(count)]), vector([blob(key) for key in keys])]


def calls():
    for count in (1, 8, 64):
        yield f"payout::allocate, {count} uses", "payout", "allocate", allocation(count)
    yield "payout::split_by_bps, 4 parts", "payout", "split_by_bps", [u64(1_000_001), vector([u64(2_500)] * 4)]


def judged(modules, name, module, function, arguments):
    result = sui_sandbox.call_view_function(
        PACKAGE, module, function, pure_inputs=arguments, package_bytecodes={PACKAGE: modules}, fetch_deps=False
    )
    if not result["success"]:
        raise SystemExit(f"{module}::{function} failed: {result['error']}")
    return {"call": name, "units": result["gas_used"], "returned": result["return_values"][0][0]}


def main():
    modules = json.load(sys.stdin)["modules"]
    rows = [judged(modules, *call) for call in calls()]
    json.dump({"judge": f"sui-sandbox {sui_sandbox.__version__}", "rows": rows}, sys.stdout)


main()
