"""The floor of a reconciliation: the same requests by bare httpx, several at once, unlooked at."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx


def main(url: str, key: str, threads: int) -> None:
    """All pages of persons, all pages of cards, and every card on them."""
    api = f"{url}/api/v2"
    calls = 0
    began = time.perf_counter()
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(headers=headers) as http, ThreadPoolExecutor(threads) as pool:

        def read(number: str) -> dict[str, object]:
            return http.get(f"{api}/cards/{number}").raise_for_status().json()

        for collection in ("persons", "cards"):
            page, total = 0, 1
            while page < total:
                answer = http.get(f"{api}/{collection}", params={"page": page})
                document = answer.raise_for_status().json()
                total, page, calls = document["page"]["totalPages"], page + 1, calls + 1
                if collection == "cards":
                    numbers = [card["cardNumber"] for card in document["content"]]
                    # The next page is asked for while these are read.
                    waiting = [pool.submit(read, number) for number in numbers]
                    calls += len(waiting)
                    if page % 10 == 0 or page == total:
                        for one in waiting:
                            one.result()
    seconds = time.perf_counter() - began
    print(json.dumps({"calls": calls, "seconds": seconds, "rate": calls / seconds}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
