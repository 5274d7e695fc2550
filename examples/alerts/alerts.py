"""Rebuilds what stands wrong from offset 0, then waits for an alert of a rule; a silent watchdog is a page too."""
import json
import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

TOPIC = "plumbline.alert-states"


class World:
    """Every alert as it was told last."""

    def __init__(self, brokers):
        self.alerts = {}
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
            if not m.value():  # 30 days after its end an alert is forgotten
                self.alerts.pop(m.key().decode(), None)
                continue
            alert = json.loads(m.value())["data"]
            if alert["seq"] > self.alerts.get(alert["id"], {"seq": 0})["seq"]:  # records repeat
                self.alerts[alert["id"]] = alert

    def standing(self, rule):
        return next((a for a in self.alerts.values() if a["rule"] == rule and a["status"] != "resolved"), None)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: alerts.py BROKERS RULE")
    world, heard = World(sys.argv[1]), time.monotonic()
    while not (alert := world.standing(sys.argv[2])):
        world.poll()
        if world.standing("watchdog"):
            heard = time.monotonic()
        if time.monotonic() - heard > 180:
            sys.exit("the monitor is silent: this is the page")
    print(f"python: {alert['severity']} {alert['rule']}: {alert['summary']}")
