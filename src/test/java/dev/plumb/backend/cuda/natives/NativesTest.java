package dev.plumb.backend.cuda.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import jcuda.JCudaVersion;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The natives in the jar, the change for cuBLAS 13, and the table of versions. */
class NativesTest {
  @TempDir Path folder;

  @Test
  void tableNamesTheJCudaOfTheBuild() throws IOException {
    assertEquals(JCudaVersion.get(), CudaVersions.CURRENT.jcuda());
    for (CudaPlatform platform : CudaPlatform.values()) {
      for (String name : platform.natives()) {
        assertTrue(CudaNatives.resource(name).length > 100_000, name);
      }
    }
  }

  @Test
  void driversOfABranchHaveItsCuda() {
    assertEquals(Optional.of(12020), CudaVersions.CURRENT.cudaOfDriver("535.183.01"));
    assertEquals(Optional.of(12020), CudaVersions.CURRENT.cudaOfDriver("537.13"));
    assertEquals(Optional.of(11040), CudaVersions.CURRENT.cudaOfDriver("470.57.02"));
    assertEquals(Optional.empty(), CudaVersions.CURRENT.cudaOfDriver("390.157"));
    assertEquals(Optional.empty(), CudaVersions.CURRENT.cudaOfDriver("unknown"));
    assertEquals("12.6", CudaVersions.text(12060));
    for (CudaVersions.Cublas cublas : CudaVersions.CURRENT.cublas()) {
      assertEquals(Optional.of(cublas.cuda()),
          CudaVersions.CURRENT.cudaOfDriver(cublas.firstDriver(CudaPlatform.LINUX)), "the table contradicts itself");
    }
  }

  @Test
  void nativeForCublas13DiffersInNameAndChecksumAlone() throws IOException {
    byte[] library = CudaNatives.resource(CudaPlatform.LINUX.cublasNative());
    byte[] changed = Cublas13.patched(library);
    int[] different = IntStream.range(0, library.length).filter(i -> library[i] != changed[i]).toArray();
    // One character, and the checksum's last byte, which depends only on that character.
    assertEquals(2, different.length, Arrays.toString(different));
    assertEquals('3', changed[different[0]]);
    assertEquals(library[different[1]] + 1, changed[different[1]]);
    Path file = Files.write(folder.resolve("changed"), changed);
    assertEquals(SharedObject.State.WHOLE, SharedObject.state(file));
  }

  @Test
  void nativeThatIsNotAsExpectedIsRefused() throws IOException {
    byte[] library = CudaNatives.resource(CudaPlatform.LINUX.cublasNative());
    byte[] twice = Arrays.copyOf(library, library.length + 17);
    System.arraycopy("\0libcublas.so.12\0".getBytes(StandardCharsets.ISO_8859_1), 0, twice, library.length, 17);
    byte[] another = CudaNatives.resource(CudaPlatform.LINUX.driverNative());
    for (byte[] wrong : List.of(new byte[0], new byte[100], twice, another)) {
      IOException refusal = assertThrows(IOException.class, () -> Cublas13.patched(wrong));
      assertTrue(refusal.getMessage().contains("exactly once"), refusal.getMessage());
    }
  }

  @Test
  void truncatedLibraryIsSeen() throws IOException {
    byte[] library = CudaNatives.resource(CudaPlatform.LINUX.cublasNative());
    for (int bytes : new int[] {0, 3, 63, 64, 1000, library.length / 2}) {
      Path file = Files.write(folder.resolve("cut"), Arrays.copyOf(library, bytes));
      assertEquals(SharedObject.State.DAMAGED, SharedObject.state(file), bytes + " bytes");
    }
    Path text = Files.writeString(folder.resolve("text"), "INPUT(libc.so)".repeat(10));
    assertEquals(SharedObject.State.DAMAGED, SharedObject.state(text));
  }
}
