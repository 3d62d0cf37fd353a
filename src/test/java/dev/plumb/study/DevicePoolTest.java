package dev.plumb.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.DeviceFailedException;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.OpenableDevice;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.train.TrainingInterruptedException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several devices: both train, a group of one that fails is trained by another, and every trial is reported once. */
@Timeout(120)
class DevicePoolTest {
  private static final IntConsumer WORKS = session -> { };

  private final List<String> notes = Collections.synchronizedList(new ArrayList<>());
  private final List<String> failures = Collections.synchronizedList(new ArrayList<>());

  @Test
  void twoDevicesTrainAtTheSameTimeAndGiveTheSameRows() {
    CountDownLatch bothTrain = new CountDownLatch(2);
    IntConsumer meet = session -> {
      if (session == 1) {
        bothTrain.countDown();
        await(bothTrain);
      }
    };
    FakeDevice first = new FakeDevice("gpu:0", meet);
    FakeDevice second = new FakeDevice("gpu:1", meet);
    Rows rows = new Rows();
    try (TrialExecutor executor = executor(first, second)) {
      StudyRunner runner = new StudyRunner(executor, study());
      assertEquals(new DeviceInfo(DeviceInfo.Kind.REFERENCE, "model X; 2 devices: gpu:0, gpu:1"), runner.device());
      assertTrue(runner.run(new BitSet(), rows));
      assertEquals(runner.groups(new BitSet()).size(), first.sessions() + second.sessions());
    }
    assertEquals(expected(), rows.lines());
    assertTrue(second.isClosed());
    assertFalse(first.isClosed(), "the caller closes it");
    assertEquals(study().training().epochs() * study().trials(), rows.epochs, "epochs reported");
    assertEquals(List.of(List.of(), List.of()), List.of(notes, failures));
  }

  /** One shape and one group on one device: it is divided, so that both have something to train. */
  @Test
  void groupsAreNoLargerThanADevicesShare() {
    Study study = StudySpecReader.parse("{\"epochs\": 2, \"lossAtEpochs\": [1],"
        + " \"grid\": {\"depth\": [1], \"width\": [2], \"seeds\": 3}}").gridStudy();
    try (TrialExecutor executor = executor(new FakeDevice("gpu:0", WORKS), new FakeDevice("gpu:1", WORKS))) {
      assertEquals(List.of(2, 1),
          new StudyRunner(executor, study).groups(new BitSet()).stream().map(TrialGroup::size).toList());
    }
    assertEquals(List.of(3),
        new StudyRunner(new ReferenceBackend(), study).groups(new BitSet()).stream().map(TrialGroup::size).toList());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void groupOfADeviceThatFailsIsTrainedByTheOther(int failing) {
    CountDownLatch failed = new CountDownLatch(1);
    IntConsumer fails = session -> {
      if (session == 2) {
        failed.countDown();
        throw new DeviceFailedException("it burns", null);
      }
    };
    IntConsumer waits = session -> {
      if (session > 1) {
        await(failed);
      }
    };
    FakeDevice first = new FakeDevice("gpu:0", failing == 0 ? fails : waits);
    FakeDevice second = new FakeDevice("gpu:1", failing == 1 ? fails : waits);
    Rows rows = new Rows();
    try (TrialExecutor executor = executor(first, second)) {
      assertTrue(new StudyRunner(executor, study()).run(new BitSet(), rows));
    }
    assertEquals(expected(), rows.lines());
    assertEquals(2, (failing == 0 ? first : second).sessions(), "it is not used any more");
    assertEquals(List.of("gpu:" + failing + " failed and is not used any more; the other devices train its networks: it burns"),
        failures);
    assertEquals(study().training().epochs() * study().trials(), rows.epochs, "epochs reported");
  }

  /** The other has nothing left to train when the last group is given back. */
  @Test
  void groupThatFailsLastIsTrainedByAnIdleDevice() {
    Rows rows = new Rows();
    FakeDevice first = new FakeDevice("gpu:0", WORKS);
    FakeDevice second = new FakeDevice("gpu:1", session -> {
      await(rows.allButOneGroup);
      throw new DeviceUnavailableException("no memory is left", "use a smaller network");
    });
    try (TrialExecutor executor = executor(first, second)) {
      assertTrue(new StudyRunner(executor, study()).run(new BitSet(), rows));
    }
    assertEquals(expected(), rows.lines());
    assertEquals(List.of("gpu:1 failed and is not used any more; the other devices train its networks: no memory is left"), failures);
  }

  @Test
  void failureOfTheLastDeviceIsThrownAndTheRestTrainedLater() {
    CountDownLatch bothTrain = new CountDownLatch(2);
    IntConsumer fails = session -> {
      if (session == 2) {
        bothTrain.countDown();
        await(bothTrain);
        throw new DeviceFailedException("it burns", null);
      }
    };
    Rows rows = new Rows();
    try (TrialExecutor executor = executor(new FakeDevice("gpu:0", fails), new FakeDevice("gpu:1", fails))) {
      StudyRunner runner = new StudyRunner(executor, study());
      assertEquals("it burns",
          assertThrows(DeviceFailedException.class, () -> runner.run(new BitSet(), rows)).getMessage());
    }
    assertEquals(1, failures.size(), failures.toString());
    int finished = rows.done.cardinality();
    assertTrue(finished > 0 && finished < study().trials(), finished + " are finished");
    assertTrue(new StudyRunner(new ReferenceBackend(), study()).run((BitSet) rows.done.clone(), rows));
    assertEquals(expected(), rows.lines());
  }

  @Test
  void otherFailuresEndTheStudy() {
    FakeDevice broken = new FakeDevice("gpu:1", session -> {
      throw new IllegalStateException("a bug");
    });
    try (TrialExecutor executor = executor(new FakeDevice("gpu:0", WORKS), broken)) {
      StudyRunner runner = new StudyRunner(executor, study());
      // The first device would train everything if it were not stopped.
      assertEquals("a bug", assertThrows(IllegalStateException.class, () -> {
        while (true) {
          runner.run(new BitSet(), new Rows());
        }
      }).getMessage());
    }
    try (TrialExecutor executor = executor(new FakeDevice("gpu:0", WORKS), new FakeDevice("gpu:1", WORKS))) {
      StudyRunner runner = new StudyRunner(executor, study());
      assertThrows(ArithmeticException.class, () -> runner.run(new BitSet(), rows -> {
        throw new ArithmeticException("a full disk, say");
      }));
    }
    assertEquals(List.of(), failures);
  }

  @Test
  void devicesWithOtherNumericsAndUnusableOnesAreLeftOut() {
    FakeDevice first = new FakeDevice("gpu:0", WORKS);
    FakeDevice other = new FakeDevice("gpu:1", "model Y", WORKS);
    FakeDevice same = new FakeDevice("gpu:3", WORKS);
    Rows rows = new Rows();
    first.open();
    try (TrialExecutor executor = TrialExecutor.on(first, List.of(first.openable(), other.openable(),
        new OpenableDevice("gpu:2", () -> {
          throw new DeviceUnavailableException("gpu:2 is too old: buy another");
        }), same.openable()), notes::add, failures::add)) {
      StudyRunner runner = new StudyRunner(executor, study());
      assertEquals("model X; 2 devices: gpu:0, gpu:3", runner.device().name());
      assertTrue(other.isClosed());
      assertTrue(runner.run(new BitSet(), rows));
    }
    assertEquals(List.of("gpu:2 is not used: gpu:2 is too old: buy another",
        "gpu:1 is not used: its results would differ in the last bits from those of gpu:0: GPU is \"model Y\", not \"model X\""),
        notes);
    assertEquals(0, other.sessions());
    assertTrue(same.isClosed());
    assertEquals(expected(), rows.lines());
  }

  @Test
  void stopRequestStopsAllDevices() {
    Rows rows = new Rows();
    rows.stopAfter = 2;
    try (TrialExecutor executor = executor(new FakeDevice("gpu:0", WORKS), new FakeDevice("gpu:1", WORKS))) {
      StudyRunner runner = new StudyRunner(executor, study());
      assertFalse(runner.run(new BitSet(), rows));
      assertTrue(rows.done.cardinality() < study().trials());
      rows.stopAfter = Integer.MAX_VALUE;
      assertTrue(runner.run((BitSet) rows.done.clone(), rows));
    }
    assertEquals(expected(), rows.lines());
  }

  /** The first device, which the interrupted thread uses, trains or has failed; the second one trains. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void interruptEndsTheStudySoon(boolean firstFails) throws InterruptedException {
    CountDownLatch trains = new CountDownLatch(1);
    FakeDevice second = new FakeDevice("gpu:1", session -> trains.countDown());
    FakeDevice first = new FakeDevice("gpu:0", session -> {
      if (firstFails) {
        throw new DeviceFailedException("it burns", null);
      }
    });
    Study study = StudySpecReader.parse("{\"epochs\": 50000000, \"lossAtEpochs\": [1],"
        + " \"grid\": {\"depth\": [1], \"width\": [2], \"seeds\": 2}}").gridStudy();
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    AtomicReference<Boolean> kept = new AtomicReference<>();
    Thread thread = new Thread(() -> {
      try (TrialExecutor executor = executor(first, second)) {
        new StudyRunner(executor, study).run(new BitSet(), new Rows());
      } catch (RuntimeException e) {
        thrown.set(e);
        kept.set(Thread.currentThread().isInterrupted());
      }
    });
    thread.start();
    await(trains);
    thread.interrupt();
    thread.join(60_000);
    assertFalse(thread.isAlive(), "the training continues");
    assertEquals(TrainingInterruptedException.class, thrown.get().getClass(), String.valueOf(thrown.get()));
    assertTrue(kept.get(), "the interrupt status is lost");
    assertTrue(second.isClosed());
  }

  private TrialExecutor executor(FakeDevice first, FakeDevice second) {
    return TrialExecutor.on(first.open(), List.of(first.openable(), second.openable()), notes::add, failures::add);
  }

  private static Study study() {
    return StudySpecReader.parse("{\"epochs\": 7, \"seed\": 5, \"data\": {\"samples\": 20}, \"lossAtEpochs\": [2], \"grid\": {"
        + "\"depth\": [1, 2, 3], \"width\": [2, 3], \"activation\": [\"relu\", \"tanh\"], \"seeds\": 3}}").gridStudy();
  }

  private static List<String> expected() {
    Rows rows = new Rows();
    assertTrue(new StudyRunner(new ReferenceBackend(), study()).run(new BitSet(), rows));
    return rows.lines();
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(60, TimeUnit.SECONDS), "the other device did not come this far");
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Collects the rows and checks that none comes twice. */
  private static final class Rows implements StudyRunner.Listener {
    private final TrialRow[] rows = new TrialRow[study().trials()];
    private final BitSet done = new BitSet();
    private final CountDownLatch allButOneGroup = new CountDownLatch(1);
    private volatile int stopAfter = Integer.MAX_VALUE;
    private long epochs;

    @Override
    public boolean stopRequested() {
      return done.cardinality() >= stopAfter;
    }

    @Override
    public void finished(List<TrialRow> group) {
      for (TrialRow row : group) {
        assertNull(rows[row.trial()], "trial " + row.trial() + " came twice");
        rows[row.trial()] = row;
        done.set(row.trial());
      }
      // Groups of the reference have at most four trials.
      if (done.cardinality() >= rows.length - 4) {
        allButOneGroup.countDown();
      }
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
