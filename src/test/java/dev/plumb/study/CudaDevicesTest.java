package dev.plumb.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.Backends;
import dev.plumb.backend.DeviceFailedException;
import dev.plumb.backend.Planner;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Counter;
import dev.plumb.backend.cuda.hostdevice.HostDevice.Fault;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A study on two GPUs, here devices of the host device. */
@Tag("cuda")
@Tag("host-device")
@Timeout(300)
class CudaDevicesTest {
  private static final String PLAIN = "";
  private static final String DROPOUT = "\"dropout\": 0.2, \"batchSize\": 4,";
  private static final long MAX_WAIT_NANOS = 60_000_000_000L;

  private final List<String> notes = Collections.synchronizedList(new ArrayList<>());
  private final List<String> failures = Collections.synchronizedList(new ArrayList<>());

  @BeforeEach
  void load() {
    HostDevice.load();
    HostDevice.reset();
    HostDevice.devices(2);
    HostDevice.quiet(true);
  }

  @AfterEach
  void reset() {
    HostDevice.reset();
  }

  @ParameterizedTest
  @CsvSource({"FUSED, " + PLAIN, "FUSED, '" + DROPOUT + "'", "LAYERED, " + PLAIN})
  void bothGpusTrainAndTheRowsAreThoseOfOne(Planner planner, String keys) {
    Study study = study(keys == null ? PLAIN : keys);
    List<String> one = rowsOfOneGpu(study, planner);
    HostDevice.reset();
    HostDevice.devices(2);
    HostDevice.quiet(true);
    // A device that has trained waits for the other one.
    Rows rows = new Rows(study, () -> {
      int device = worksOn("cuda:0") ? 0 : 1;
      return HostDevice.count(Counter.KERNELS, device) == 0 || HostDevice.count(Counter.KERNELS, 1 - device) > 0;
    });
    onAll(study, planner, failures::add, runner -> {
      assertEquals("host device (CPU, for tests); 2 devices: cuda:0, cuda:1", runner.device().name());
      assertTrue(runner.run(new BitSet(), rows));
    });
    assertEquals(one, rows.lines());
    assertTrue(HostDevice.count(Counter.KERNELS, 0) > 0 && HostDevice.count(Counter.KERNELS, 1) > 0);
    assertEquals(HostDevice.count(Counter.KERNELS), HostDevice.count(Counter.KERNELS, 0) + HostDevice.count(Counter.KERNELS, 1));
    assertEquals(List.of(), failures);
  }

  @ParameterizedTest
  @CsvSource({
    "FUSED, LAUNCH, 1, the GPU failed with CUDA_ERROR_LAUNCH_FAILED", "FUSED, LAUNCH, 3, the GPU failed with CUDA_ERROR_LAUNCH_FAILED",
    "FUSED, MEMORY, 2, there is not enough memory (CUDA_ERROR_OUT_OF_MEMORY while ", "FUSED, LOST, 30, the GPU was lost (CUDA_ERROR_UNKNOWN",
    "FUSED, COPY, 5, the GPU was lost (CUDA_ERROR_ECC_UNCORRECTABLE", "LAYERED, GEMM, 2, the GPU failed with CUBLAS_STATUS_EXECUTION_FAILED",
  })
  void gpuThatFailsIsNamedAndTheOtherTrainsTheRest(Planner planner, Fault fault, int n, String reason) {
    Study study = planner == Planner.LAYERED ? studyOfManyRows() : study(PLAIN);
    List<String> one = rowsOfOneGpu(study, planner);
    for (int failing = 0; failing < 2; failing++) {
      load();
      failures.clear();
      String survivor = "cuda:" + (1 - failing);
      Rows rows = new Rows(study, () -> !worksOn(survivor) || !failures.isEmpty());
      int device = failing;
      onAll(study, planner, failures::add, runner -> {
        HostDevice.fault(fault, n, device);
        assertTrue(runner.run(new BitSet(), rows));
      });
      assertEquals(one, rows.lines());
      assertEquals(1, failures.size(), failures.toString());
      assertTrue(failures.get(0).startsWith(
          "cuda:" + failing + " failed and is not used any more; the other devices train its networks: " + reason), failures.get(0));
      assertEquals((long) study.training().epochs() * study.trials(), rows.epochs, "epochs reported");
    }
  }

  @Test
  void failureOfBothGpusIsThrownAndTheStudyCanBeContinuedOnOne() {
    Study study = study(PLAIN);
    List<String> one = rowsOfOneGpu(study, Planner.FUSED);
    load();
    // Device 1 fails after it has reported at least one group, then device 0.
    Rows rows = new Rows(study, () -> true);
    rows.afterFirstGroup = () -> HostDevice.fault(Fault.LAUNCH, 1, 1);
    onAll(study, Planner.FUSED, failure -> {
      failures.add(failure);
      HostDevice.fault(Fault.LAUNCH, 1, 0);
    }, runner -> {
      rows.gate = () -> !worksOn("cuda:0") || rows.done.isEmpty() || !failures.isEmpty();
      assertTrue(assertThrows(DeviceFailedException.class, () -> runner.run(new BitSet(), rows)).getMessage()
          .startsWith("the GPU failed with CUDA_ERROR_LAUNCH_FAILED while "));
    });
    assertEquals(1, failures.size(), failures.toString());
    int finished = rows.done.cardinality();
    assertTrue(finished > 0 && finished < study.trials(), finished + " are finished");
    HostDevice.reset();
    rows.gate = () -> true;
    try (Backends.Selection device = Backends.open("cuda", usage(Planner.FUSED))) {
      assertTrue(new StudyRunner(device.backend(), study).run((BitSet) rows.done.clone(), rows));
    }
    assertEquals(one, rows.lines());
  }

  private List<String> rowsOfOneGpu(Study study, Planner planner) {
    Rows rows = new Rows(study, () -> true);
    try (Backends.Selection device = Backends.open("cuda", usage(planner))) {
      assertTrue(new StudyRunner(device.backend(), study).run(new BitSet(), rows));
    }
    return rows.lines();
  }

  /** Trains on all GPUs; nothing is left on the devices afterwards. */
  private void onAll(Study study, Planner planner, Consumer<String> onFailure, Consumer<StudyRunner> use) {
    try (Backends.Selection all = Backends.openAll(usage(planner));
        TrialExecutor executor = TrialExecutor.on(all.backend(), all.devices(), notes::add, onFailure)) {
      use.accept(new StudyRunner(executor, study));
    }
    assertEquals(List.of(), notes);
    assertEquals("", HostDevice.left());
  }

  private static Backends.Usage usage(Planner planner) {
    return new Backends.Usage(true, planner, OptionalInt.empty(), note -> { });
  }

  private static boolean worksOn(String device) {
    String thread = Thread.currentThread().getName();
    return device.equals("cuda:0") ? !thread.startsWith("plumb-") : thread.equals("plumb-" + device);
  }

  private static Study study(String keys) {
    return StudySpecReader.parse("{\"epochs\": 300, \"seed\": 5, \"data\": {\"samples\": 8}, \"lossAtEpochs\": [2]," + keys
        + "\"grid\": {\"depth\": [1, 2], \"width\": [2, 3], \"activation\": [\"relu\", \"tanh\"], \"seeds\": 2}}").gridStudy();
  }

  /** So many rows that cuBLAS computes the products. */
  private static Study studyOfManyRows() {
    return StudySpecReader.parse("{\"epochs\": 4, \"seed\": 5, \"data\": {\"samples\": 1100}, \"lossAtEpochs\": [2],"
        + "\"grid\": {\"depth\": [2], \"width\": [5, 6, 7, 8], \"activation\": [\"relu\"], \"seeds\": 1}}").gridStudy();
  }

  /** Collects the rows and checks that none comes twice; a training waits before it begins and between steps until a gate opens. */
  private static final class Rows implements StudyRunner.Listener {
    private final TrialRow[] rows;
    private final BitSet done = new BitSet();
    private volatile BooleanSupplier gate;
    private Runnable afterFirstGroup = () -> { };
    private long epochs;

    Rows(Study study, BooleanSupplier gate) {
      rows = new TrialRow[study.trials()];
      this.gate = gate;
    }

    @Override
    public boolean stopRequested() {
      long start = System.nanoTime();
      while (!gate.getAsBoolean()) {
        if (System.nanoTime() - start > MAX_WAIT_NANOS) {
          throw new AssertionError("the other device did not come this far");
        }
        Thread.onSpinWait();
      }
      return false;
    }

    @Override
    public void finished(List<TrialRow> group) {
      for (TrialRow row : group) {
        assertNull(rows[row.trial()], "trial " + row.trial() + " came twice");
        rows[row.trial()] = row;
      }
      if (done.isEmpty()) {
        afterFirstGroup.run();
      }
      group.forEach(row -> done.set(row.trial()));
    }

    @Override
    public void trained(TrialGroup group, int newEpochs) {
      epochs += (long) newEpochs * group.size();
    }

    List<String> lines() {
      return Arrays.stream(rows).map(row -> row.withSeconds(0).line()).toList();
    }
  }
}
