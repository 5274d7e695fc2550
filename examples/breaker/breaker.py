"""Waits until an agent is stopped, as a gateway would check it before each write."""
import json
import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

TOPIC = "plumbline.agent-states"


class Breaker:
    """Knows how every agent stands."""

    def __init__(self, brokers):
        self.states = {}
        self.consumer = Consumer({
            "bootstrap.servers": brokers,
            "group.id": "not-used",  # partitions are assigned by hand: every copy reads everything
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        })
        partitions = self.consumer.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions
        self.consumer.assign([TopicPartition(TOPIC, p, OFFSET_BEGINNING) for p in partitions])

    def poll(self):
        for m in self.consumer.consume(500, timeout=0.5):
            if m.error():
                continue
            key = m.key().decode()
            if m.value() is None:
                self.states.pop(key, None)
            else:
                self.states[key] = json.loads(m.value())

    def stopped(self, agent):
        return next((s for k, s in self.states.items() if k.endswith("/" + agent) and s["state"] == "tripped"), None)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: breaker.py BROKERS AGENT")
    breaker = Breaker(sys.argv[1])
    while not (state := breaker.stopped(sys.argv[2])):
        breaker.poll()
    print(f"python: {state['agent']} is stopped by {state['rule']}: it {state['reason']}")
