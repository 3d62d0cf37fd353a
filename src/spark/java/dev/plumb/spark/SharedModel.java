package dev.plumb.spark;

import dev.plumb.model.Precision;
import dev.plumb.store.ModelFile;
import dev.plumb.store.TrainedModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/** A trained model whose bytes are sent to each executor, which reads them once. */
final class SharedModel implements Serializable {
  private static final long serialVersionUID = 1L;

  private static final int MAX_OPENED = 4;

  /** The models of this process that were used last, by hash. */
  private static final Map<String, TrainedModel> OPENED = new LinkedHashMap<>(16, 0.75f, true) {
    private static final long serialVersionUID = 1L;

    @Override
    protected boolean removeEldestEntry(Map.Entry<String, TrainedModel> eldest) {
      return size() > MAX_OPENED;
    }
  };

  /** SHA-256 of the bytes. */
  final String hash;
  final DeviceRequest device;
  /** The precision of the computation; null for the model's, or fp32 where the device does not support it. */
  final Precision precision;
  private final Broadcast<byte[]> bytes;

  SharedModel(SparkContext context, byte[] model, DeviceRequest device, Optional<Precision> precision) {
    hash = sha256(model);
    bytes = JavaSparkContext.fromSparkContext(context).broadcast(model);
    this.device = device;
    this.precision = precision.orElse(null);
  }

  /** Returns the content of a model's file. */
  static byte[] bytes(TrainedModel model) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      ModelFile.write(out, model);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Returns the model in this process. */
  TrainedModel open() {
    synchronized (OPENED) {
      return OPENED.computeIfAbsent(hash, key -> ModelFile.read(bytes.value()));
    }
  }
}
