package dev.plumb.store;

import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Instant;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * Writer of an event file, which TensorBoard shows as curves. It is a sequence of records: the length (8 bytes, little-endian),
 * the masked CRC-32C of the length, an Event message, and the masked CRC-32C of the message. Every record is written completely
 * before the call returns; readers skip an incomplete record that a killed process left at the end.
 *
 * <p>A resumed run creates another file in the same folder, and TensorBoard joins them.
 */
public final class TensorBoardEvents implements AutoCloseable {
  /** Constant of TensorFlow's crc32c.h, added to a rotated checksum, because the data may itself contain checksums. */
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

  /** TensorBoard finds event files by the word tfevents. */
  private static final String PREFIX = "events.out.tfevents.";
  private static final String NUMBER = ".plumb.";
  private static final Pattern NUMBERED = Pattern.compile("(.*\\.plumb\\.)([0-9]{3})");

  private final Clock clock;
  private final Path file;
  /** A stream: unlike a channel, it is not closed when the writing thread is interrupted. */
  private final OutputStream out;

  private TensorBoardEvents(Clock clock, Path file, OutputStream out) {
    this.clock = clock;
    this.file = file;
    this.out = out;
  }

  /**
   * Creates an event file.
   *
   * @param folder existing folder
   * @param firstStep of the values to be written; TensorBoard discards values of earlier files in the folder from this step on,
   *     as when a run is resumed from a checkpoint before its end
   * @return the writer
   * @throws InvalidInputException when it cannot be created
   */
  public static TensorBoardEvents create(Path folder, long firstStep) {
    return create(folder, firstStep, Clock.systemUTC());
  }

  static TensorBoardEvents create(Path folder, long firstStep, Clock clock) {
    TensorBoardEvents events = open(folder, clock);
    try {
      events.write(events.event(0).text(EVENT_FILE_VERSION, "brain.Event:2"));
      events.write(events.event(firstStep).message(EVENT_SESSION_LOG, new Protobuf().number(SESSION_LOG_STATUS, STATUS_START)));
    } catch (InvalidInputException e) {
      events.close();
      throw e;
    }
    return events;
  }

  /**
   * Returns the event file.
   *
   * @return its path
   */
  public Path file() {
    return file;
  }

  /**
   * Writes one point of several curves.
   *
   * @param step x coordinate
   * @param values by tag, written in single precision; NaN is omitted. The part of a tag before a slash is the group in which
   *     TensorBoard shows it
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

  private static TensorBoardEvents open(Path folder, Clock clock) {
    Optional<String> last = last(folder);
    while (true) {
      Path file = folder.resolve(name(clock.instant().getEpochSecond(), last));
      try {
        return new TensorBoardEvents(
            clock, file, Files.newOutputStream(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
      } catch (FileAlreadyExistsException e) {
        last = Optional.of(file.getFileName().toString());
      } catch (IOException e) {
        throw AtomicFile.cannotWrite(file, e);
      }
    }
  }

  /** Returns the last event file; empty when the folder cannot be listed, which creating the file reports. */
  private static Optional<String> last(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).filter(name -> name.startsWith(PREFIX))
          .max(Comparator.naturalOrder());
    } catch (IOException | UncheckedIOException e) {
      return Optional.empty();
    }
  }

  /**
   * Returns a file name with the time and a number. TensorBoard reads the files of a folder in the order of their names, so if
   * the time does not give a name after the last one, the last name gets the next number, or another one.
   */
  private static String name(long seconds, Optional<String> last) {
    String byClock = PREFIX + String.format(Locale.ROOT, "%010d", Math.max(0, seconds)) + NUMBER + "000";
    if (last.isEmpty() || byClock.compareTo(last.get()) > 0) {
      return byClock;
    }
    Matcher numbered = NUMBERED.matcher(last.get());
    return numbered.matches() && !numbered.group(2).equals("999")
        ? numbered.group(1) + String.format(Locale.ROOT, "%03d", Integer.parseInt(numbered.group(2)) + 1)
        : last.get() + NUMBER + "000";
  }

  private Protobuf event(long step) {
    Instant now = clock.instant();
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
