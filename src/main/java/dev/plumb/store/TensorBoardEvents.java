package dev.plumb.store;

import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * Writes an event file that TensorBoard shows as curves. It is a sequence of records, each its length (8 bytes, little-endian),
 * the masked CRC-32C of these, an Event message, and the masked CRC-32C of the message. Every record reaches the file as a whole
 * before the call returns; readers pass over one that a killed process left unfinished at the end.
 *
 * <p>A run that goes on makes a further file in the same folder, and TensorBoard joins them.
 */
public final class TensorBoardEvents implements AutoCloseable {
  /** TensorFlow's crc32c.h: a checksum of data that holds checksums is rotated and moved by this. */
  private static final int MASK_DELTA = 0xa282ead8;

  // Field numbers of TensorFlow's event.proto and summary.proto.
  private static final int EVENT_WALL_TIME = 1;
  private static final int EVENT_STEP = 2;
  private static final int EVENT_FILE_VERSION = 3;
  private static final int EVENT_SUMMARY = 5;
  private static final int EVENT_SESSION_LOG = 7;
  private static final int SESSION_LOG_STATUS = 1;
  private static final int STATUS_START = 1;
  private static final int SUMMARY_VALUE = 1;
  private static final int VALUE_TAG = 1;
  private static final int VALUE_SIMPLE = 2;

  private final Path file;
  /** A stream: unlike a channel, it is not closed when the writing thread is interrupted. */
  private final OutputStream out;

  private TensorBoardEvents(Path file, OutputStream out) {
    this.file = file;
    this.out = out;
  }

  /**
   * Makes a new event file in a folder that is there.
   *
   * @param firstStep of what will be written; TensorBoard forgets what earlier files of the folder have from this step on, as
   *     when a run goes on from a checkpoint before its end
   * @throws InvalidInputException when it cannot be made
   */
  public static TensorBoardEvents create(Path folder, long firstStep) {
    TensorBoardEvents events = open(folder);
    try {
      events.write(event(0).text(EVENT_FILE_VERSION, "brain.Event:2"));
      events.write(event(firstStep).message(EVENT_SESSION_LOG, new Protobuf().number(SESSION_LOG_STATUS, STATUS_START)));
    } catch (InvalidInputException e) {
      events.close();
      throw e;
    }
    return events;
  }

  public Path file() {
    return file;
  }

  /**
   * Writes one point of several curves.
   *
   * @param values by tag; what stands before a slash in a tag is the group that it is shown in. Those that are NaN are left out,
   *     and all are written in single precision
   * @throws InvalidInputException when they cannot be written
   */
  public void scalars(long step, Map<String, Double> values) {
    Protobuf summary = new Protobuf();
    boolean any = false;
    for (Map.Entry<String, Double> value : values.entrySet()) {
      if (!Double.isNaN(value.getValue())) {
        any = true;
        summary.message(SUMMARY_VALUE,
            new Protobuf().text(VALUE_TAG, value.getKey()).real32(VALUE_SIMPLE, value.getValue().floatValue()));
      }
    }
    if (any) {
      write(event(step).message(EVENT_SUMMARY, summary));
    }
  }

  @Override
  public void close() {
    try {
      out.close();
    } catch (IOException e) {
      throw AtomicFile.cannotWrite(file, e);
    }
  }

  /** TensorBoard knows event files by the word tfevents, and reads those of a folder in the order of their names. */
  private static TensorBoardEvents open(Path folder) {
    long seconds = Instant.now().getEpochSecond();
    for (int number = 0; ; number++) {
      Path file = folder.resolve(String.format(Locale.ROOT, "events.out.tfevents.%010d.plumb.%03d", seconds, number));
      try {
        return new TensorBoardEvents(file, Files.newOutputStream(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
      } catch (FileAlreadyExistsException e) {
        // A run that was stopped and went on within one second: the next number is free.
      } catch (IOException e) {
        throw AtomicFile.cannotWrite(file, e);
      }
    }
  }

  private static Protobuf event(long step) {
    Instant now = Instant.now();
    return new Protobuf().real64(EVENT_WALL_TIME, now.getEpochSecond() + now.getNano() * 1e-9).number(EVENT_STEP, step);
  }

  private void write(Protobuf event) {
    byte[] data = event.toBytes();
    ByteBuffer record = ByteBuffer.allocate(Long.BYTES + Integer.BYTES + data.length + Integer.BYTES)
        .order(ByteOrder.LITTLE_ENDIAN);
    record.putLong(data.length);
    record.putInt(maskedCrc(record.array(), 0, Long.BYTES));
    record.put(data).putInt(maskedCrc(data, 0, data.length));
    try {
      out.write(record.array());
    } catch (IOException e) {
      throw AtomicFile.cannotWrite(file, e);
    }
  }

  private static int maskedCrc(byte[] bytes, int from, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, from, length);
    return Integer.rotateRight((int) crc.getValue(), 15) + MASK_DELTA;
  }
}
