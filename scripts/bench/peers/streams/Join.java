import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.msgpack.core.MessagePack;
import org.msgpack.core.MessageUnpacker;

/**
 * Joins each change of a record with the target's echo of it, exactly once: the change waits in
 * RocksDB, the echo that shows its values takes it out and writes a delivery with its latency. It
 * knows one change a record and no other state; the product's ledger does more for each event.
 */
public final class Join {
  private static final String STORE = "open";
  private static final Map<String, String> MAPPED = Map.of("email", "Email", "lifecyclestage", "Lifecycle__c", "phone", "Phone");

  private Join() {}

  public static void main(String[] args) {
    Topology topology = new Topology();
    topology
        .addSource("facts", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), System.getenv("INPUT"))
        .addProcessor("join", Ledger::new, "facts")
        .addStateStore(
            Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(STORE), Serdes.ByteArray(), Serdes.ByteArray()), "join")
        .addSink("deliveries", System.getenv("OUTPUT"), Serdes.ByteArray().serializer(), Serdes.ByteArray().serializer(), "join");
    KafkaStreams streams = new KafkaStreams(topology, settings());
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }

  /** What Kafka's own documentation recommends for exactly once; commits as often as ours. */
  private static Properties settings() {
    Properties p = new Properties();
    p.put(StreamsConfig.APPLICATION_ID_CONFIG, System.getenv("GROUP"));
    p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, System.getenv("BROKER"));
    p.put(StreamsConfig.STATE_DIR_CONFIG, System.getenv("STATE"));
    p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
    p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, Runtime.getRuntime().availableProcessors());
    p.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    p.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    p.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5000);
    p.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
    p.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 << 10);
    return p;
  }

  private static final class Ledger implements Processor<byte[], byte[], byte[], byte[]> {
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<byte[], byte[]> open;

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
      this.context = context;
      this.open = context.getStateStore(STORE);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
      if (record.key() == null) {
        return; // a tick
      }
      Change now = Change.of(record.value());
      if (!now.target) {
        open.put(record.key(), record.value());
        return;
      }
      byte[] waiting = open.get(record.key());
      if (waiting == null) {
        return;
      }
      Change then = Change.of(waiting);
      for (Map.Entry<String, String> wanted : then.fields.entrySet()) {
        if (!wanted.getValue().equals(now.fields.get(MAPPED.get(wanted.getKey())))) {
          return;
        }
      }
      open.delete(record.key());
      String delivery = then.id + " applied " + (now.changedAt - then.changedAt);
      context.forward(record.withValue(delivery.getBytes(StandardCharsets.UTF_8)));
    }
  }

  /** The parts of a change that the join needs. */
  private static final class Change {
    private String id;
    private boolean target;
    private long changedAt;
    private final Map<String, String> fields = new HashMap<>();

    static Change of(byte[] bytes) {
      Change c = new Change();
      try (MessageUnpacker in = MessagePack.newDefaultUnpacker(bytes)) {
        for (int n = in.unpackMapHeader(); n > 0; n--) {
          switch (in.unpackString()) {
            case "id" -> c.id = in.unpackString();
            case "side" -> c.target = in.unpackString().equals("target");
            case "changed_at" -> c.changedAt = in.unpackLong();
            case "fields" -> c.readFields(in);
            default -> in.skipValue();
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return c;
    }

    private void readFields(MessageUnpacker in) throws IOException {
      for (int n = in.unpackArrayHeader(); n > 0; n--) {
        String name = "";
        String text = "";
        for (int m = in.unpackMapHeader(); m > 0; m--) {
          switch (in.unpackString()) {
            case "f" -> name = in.unpackString();
            case "v" -> {
              for (int v = in.unpackMapHeader(); v > 0; v--) {
                if (in.unpackString().equals("t")) {
                  text = in.unpackString();
                } else {
                  in.skipValue();
                }
              }
            }
            default -> in.skipValue();
          }
        }
        fields.put(name, text);
      }
    }
  }
}
