package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Counter;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Fault;
import dev.plumb.backend.cuda.natives.CudaNatives;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** {@code plumb study --device cuda:all} on two devices of the host device. */
@Tag("cuda")
@Tag("host-device")
class CudaAllTest {
  private static final String SPEC = """
      { "name": "g", "epochs": 40, "data": {"samples": 8}, "lossAtEpochs": [10],
        "grid": {"depth": [1, 2, 3], "width": [2, 3], "activation": ["relu", "tanh"], "learningRate": [0.01, 0.05], "seeds": 2} }""";

  @TempDir Path folder;
  private Path spec;

  @BeforeEach
  void load() throws IOException {
    HostDevice.load();
    HostDevice.reset();
    HostDevice.devices(2);
    spec = Files.writeString(folder.resolve("spec.json"), SPEC);
  }

  @AfterEach
  void reset() {
    HostDevice.reset();
  }

  @Test
  void bothGpusTrainTheTableOfOne() throws IOException {
    Plumbed one = study("cuda", "one");
    assertEquals(0, one.code(), one.err());
    HostDevice.reset();
    HostDevice.devices(2);
    Plumbed all = study("cuda:all", "all");
    assertEquals(0, all.code(), all.err());
    assertEquals("device: cuda (host device (CPU, for tests); 2 devices: cuda:0, cuda:1), as asked for",
        all.out().lines().findFirst().orElseThrow());
    assertEquals(results(one.out()), results(all.out()));
    assertEquals(rows("one"), rows("all"));
    assertEquals(1 + 48, Files.readAllLines(folder.resolve("all.runs")).size(), "every network exactly once");
    assertTrue(HostDevice.count(Counter.KERNELS, 0) > 0 && HostDevice.count(Counter.KERNELS, 1) > 0);
    assertTrue(Files.readString(folder.resolve("all.runs")).lines().findFirst().orElseThrow().contains("\"device\":\"cuda\""));
    assertTrue(Files.readString(folder.resolve("all.json"))
        .contains("\"name\": \"host device (CPU, for tests); 2 devices: cuda:0, cuda:1\""));
    assertEquals("", HostDevice.left());
  }

  @Test
  void studyIsResumedOnAllGpusOrOnOneWithTheSameBits() throws IOException {
    Plumbed whole = study("cuda:all", "whole");
    assertEquals(0, whole.code(), whole.err());
    List<String> lines = Files.readAllLines(folder.resolve("whole.runs"));
    for (String device : List.of("cuda", "cuda:all", "")) {
      Path part = Files.write(folder.resolve("part.runs"), lines.subList(0, 20));
      List<String> command = new ArrayList<>(List.of("study", "--resume", part.toString(), "--quiet"));
      command.addAll(device.isEmpty() ? List.of() : List.of("--device", device));
      Plumbed resumed = Plumbed.run(command.toArray(String[]::new));
      assertEquals(0, resumed.code(), resumed.err());
      assertEquals(results(whole.out()), results(resumed.out()), device);
      assertEquals(device.equals("cuda:all"), resumed.out().lines().findFirst().orElseThrow().contains("2 devices"));
      assertEquals(lines.size(), Files.readAllLines(part).size());
    }
  }

  @Test
  void gpuThatCannotBeOpenedIsNamedAndLeftOut() throws IOException {
    HostDevice.quiet(true);
    for (int device = 0; device < 2; device++) {
      HostDevice.fault(Fault.LOST, 1, device);
      Plumbed ran = study("cuda:all", "left-out-" + device);
      assertEquals(0, ran.code(), ran.err());
      assertEquals("device: cuda (host device (CPU, for tests)), as asked for", ran.out().lines().findFirst().orElseThrow());
      assertTrue(ran.err().matches("note: cuda:" + device + " is not used: .* while opening cuda:" + device + "\\).*\n"), ran.err());
      HostDevice.reset();
      HostDevice.devices(2);
      HostDevice.quiet(true);
    }
    HostDevice.fault(Fault.LOST, 1);
    HostDevice.devices(1);
    Plumbed none = study("cuda:all", "none");
    assertEquals(3, none.code(), none.err());
    assertEquals(1, none.err().lines().count(), none.err());
  }

  @Test
  void listOfNetworksIsTrainedOnAllGpus() throws IOException {
    String list = Files.writeString(folder.resolve("list.json"), "{\"epochs\": 9, \"data\": {\"samples\": 8}, \"lossAtEpochs\": [2],"
        + " \"networks\": [{\"name\": \"A\", \"layers\": [3,2,1], \"activation\": \"relu\"},"
        + " {\"name\": \"B\", \"layers\": [3,4,2,1], \"activation\": \"tanh\"}]}").toString();
    Plumbed one = Plumbed.run("study", list, "--seeds", "2", "--device", "cuda");
    Plumbed all = Plumbed.run("study", list, "--seeds", "2", "--device", "cuda:all");
    assertEquals(0, all.code(), all.err());
    assertTrue(all.out().contains("2 devices"), all.out());
    assertEquals(results(one.out()), results(all.out()));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void processWhoseSecondGpuFailsNamesItAndPrintsTheSameTable() throws Exception {
    Plumbed one = study("cuda", "one");
    Process process = PlumbProcess.start(folder,
        Map.of("PLUMB_HOST_DEVICE_COUNT", "2", "PLUMB_HOST_DEVICE_FAULT", "launch:1@1", "PLUMB_HOST_DEVICE_QUIET", "1"),
        List.of("-D" + CudaNatives.HOST_DEVICE + "=" + HostDevice.folder()), arguments("cuda:all", "process"));
    assertEquals(0, process.waitFor());
    assertTrue(Files.readString(folder.resolve("err")).matches("plumb study: cuda:1 failed and is not used any more; the other devices"
        + " train its networks: the GPU failed with CUDA_ERROR_LAUNCH_FAILED while .*\n"), Files.readString(folder.resolve("err")));
    assertEquals(results(one.out()), results(Files.readString(folder.resolve("out"))));
    assertEquals(rows("one"), rows("process"));
    assertEquals(1 + 48, Files.readAllLines(folder.resolve("process.runs")).size(), "every network exactly once");
  }

  private Plumbed study(String device, String name) {
    return Plumbed.run(arguments(device, name).toArray(String[]::new));
  }

  private List<String> arguments(String device, String name) {
    return List.of("study", spec.toString(), "--device", device, "--log", folder.resolve(name + ".runs").toString(),
        "--csv", folder.resolve(name + ".csv").toString(), "--json", folder.resolve(name + ".json").toString());
  }

  /** Returns the rows of the CSV file without the time. */
  private List<String> rows(String name) throws IOException {
    return Files.readAllLines(folder.resolve(name + ".csv")).stream()
        .map(line -> String.join(",", Arrays.copyOf(line.split(",", -1), line.split(",", -1).length - 1))).toList();
  }

  /** Returns the table and the text below it. */
  private static String results(String out) {
    return out.lines().dropWhile(line -> !line.isEmpty()).collect(Collectors.joining("\n"));
  }
}
