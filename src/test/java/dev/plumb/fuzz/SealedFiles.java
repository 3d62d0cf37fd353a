package dev.plumb.fuzz;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/** Damaged safetensors files of Plumb: most of them are sealed anew, as nothing gets past the seal otherwise. */
public final class SealedFiles {
  private static final byte[] BEFORE_SEAL = "{\"__metadata__\":{\"plumb.sha256\":\"".getBytes(StandardCharsets.US_ASCII);
  private static final int SEAL = 64;

  private SealedFiles() {}

  /** Returns one of the files with some changes, in its header or anywhere. */
  public static byte[] changed(List<byte[]> files, Random random) {
    if (random.nextInt(3) > 0) {
      byte[] file = Mutations.pick(files, random);
      byte[] header = Mutations.changed(files.stream().map(SealedFiles::header).toList(), random);
      byte[] values = Arrays.copyOfRange(file, Long.BYTES + header(file).length, file.length);
      ByteBuffer changed = ByteBuffer.allocate(Long.BYTES + header.length + values.length).order(ByteOrder.LITTLE_ENDIAN);
      return sealed(changed.putLong(header.length).put(header).put(values).array());
    }
    byte[] changed = Mutations.changed(files, random);
    return random.nextInt(3) == 0 ? changed : sealed(changed);
  }

  private static byte[] header(byte[] file) {
    int length = (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
    return Arrays.copyOfRange(file, Long.BYTES, Long.BYTES + length);
  }

  private static byte[] sealed(byte[] file) {
    int from = Long.BYTES + BEFORE_SEAL.length;
    if (file.length < from + SEAL) {
      return file;
    }
    byte[] sealed = file.clone();
    Arrays.fill(sealed, from, from + SEAL, (byte) '0');
    System.arraycopy(BEFORE_SEAL, 0, sealed, Long.BYTES, BEFORE_SEAL.length);
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(sealed);
      System.arraycopy(HexFormat.of().formatHex(digest).getBytes(StandardCharsets.US_ASCII), 0, sealed, from, SEAL);
      return sealed;
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
