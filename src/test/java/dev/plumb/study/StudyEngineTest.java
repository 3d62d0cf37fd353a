package dev.plumb.study;

import static dev.plumb.golden.Close.assertRelative;
import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Backend;
import dev.plumb.backend.cpu.CpuBackend;
import dev.plumb.backend.cpu.CpuOptions;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.Dataset;
import dev.plumb.data.NotebookData;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.ParameterLayout;
import dev.plumb.random.NumpyRandom;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StudyEngineTest {
  private static final String GRID = "\"grid\": {\"depth\": [2, 1], \"width\": [2, 3], \"activation\": [\"relu\", \"tanh\"],"
      + " \"initializer\": [\"he_normal\", \"pytorch\"], \"learningRate\": [0.02, 0.3], \"seeds\": 3}";

  @Test
  void gridIsEveryCombinationBesideTheListedNetworks() {
    Study study = study("\"networks\": [{\"name\": \"mine\", \"layers\": [3,5,1], \"activation\": \"sigmoid\"}], " + GRID);
    assertEquals(33, study.cells().size());
    assertEquals(99, study.trials());
    assertEquals("mine", study.cells().get(0).name());
    assertEquals(32, study.cells().stream().skip(1).distinct().map(Study.Cell::name).distinct().count());
    assertEquals("3-2-2-1 relu he_normal 0.02", study.cells().get(1).name());
    assertEquals(List.of(1, 2, 7), List.of(study.curveEpochs().get(0), study.curveEpochs().get(1),
        study.curveEpochs().get(study.curveEpochs().size() - 1)));
  }

  /** Full batches, mini-batches and dropout: a cell's networks do not know of other cells. */
  @ParameterizedTest
  @ValueSource(strings = {"", "\"batchSize\": 7,", "\"dropout\": 0.3,", "\"optimizer\": {\"type\": \"adam\"},"})
  void cellIsTheStudyOfItsNetworkAlone(String how) {
    Study study = study(how + GRID);
    TrialRow[] rows = run(new ReferenceBackend(), study, new BitSet());
    for (int index : new int[] {0, 3, 9, 15}) {
      Study.Cell cell = study.cells().get(index);
      StudySpec alone = StudySpecReader.parse("{\"epochs\": 7, \"seed\": 5, \"data\": {\"samples\": 20}, \"lossAtEpochs\": [2]," + how
          + "\"initializer\": \"" + cell.initializer().key() + "\", \"learningRate\": " + cell.learningRate()
          + ", \"networks\": [{\"layers\": " + cell.network().widths() + ", \"activation\": \"" + cell.network().activation().key()
          + "\"}]}").spec();
      TrialRow[] list = new StudyRunner(new ReferenceBackend(), Study.ofList(alone, 3, List.of())).run().rows();
      for (int seed = 0; seed < 3; seed++) {
        TrialRow row = rows[index * 3 + seed];
        assertEquals(5 + seed, study.seedOf(row.trial()));
        assertEquals(list[seed].finalLoss(), row.finalLoss(), cell.name());
        assertEquals(list[seed].losses()[0], row.losses()[1]);
        assertSameBits(cell.name(), list[seed].gradientNorms(), row.gradientNorms());
        assertEquals((float) row.gradientNormFirst(), (float) row.normAt(row.losses().length - 1, 0));
      }
    }
  }

  @Test
  void threadsPiecesAndWhatIsDoneAlreadyChangeNoBit() {
    Study study = study(GRID);
    CpuOptions options = CpuOptions.standard();
    String[] one = lines(run(new CpuBackend(options.withThreads(1), note -> { }), study, new BitSet()));
    assertEquals(Arrays.asList(one), Arrays.asList(lines(run(new CpuBackend(options.withThreads(3), note -> { }), study, new BitSet()))));
    BitSet done = new BitSet();
    done.set(0, study.trials());
    for (int number : new int[] {1, 17, 40}) {
      done.clear(number);
    }
    TrialRow[] some = run(new CpuBackend(options.withThreads(2), note -> { }), study, done);
    for (int number : new int[] {1, 17, 40}) {
      assertEquals(one[number], lines(new TrialRow[] {some[number]})[0]);
    }
    assertEquals(3, Arrays.stream(some).filter(row -> row != null).count());
  }

  @Test
  void divergedNetworkIsTheSameAloneAndHarmsNoOther() {
    Study study = study("\"grid\": {\"depth\": [3], \"width\": [8], \"activation\": [\"linear\"], \"learningRate\": [0.01, 1e3],"
        + " \"seeds\": 2}");
    TrialRow[] all = run(new ReferenceBackend(), study, new BitSet());
    assertEquals(0, all[0].diverged());
    assertTrue(all[2].diverged() > 1 && Double.isNaN(all[2].finalLoss()) && Double.isNaN(all[2].gradientNormFirst()));
    assertTrue(Double.isFinite(all[2].losses()[0]) && Double.isNaN(all[2].losses()[all[2].losses().length - 1]));
    BitSet done = new BitSet();
    done.set(0, 2);
    done.set(3);
    assertEquals(lines(all)[2], lines(run(new ReferenceBackend(), study, done))[2]);
    StudyResult result = new StudyResult(study, new ReferenceBackend().device(), 0, all);
    assertEquals(2, result.diverged());
    assertTrue(StudyFindings.of(result).stream().anyMatch(finding -> finding.measured().startsWith("2 of 4 networks diverged, 50.0 %")));
  }

  /** With next to no learning rate the first weights stay, and all can be computed from them. */
  @Test
  void updatesAndUnitsAreThoseOfTheWeights() {
    double rate = 1e-12;
    Study study = study("\"learningRate\": 1e-12, \"grid\": {\"depth\": [1], \"width\": [6], \"activation\": [\"relu\", \"sigmoid\"],"
        + " \"initializer\": [\"he_normal\"], \"seeds\": 4}");
    TrialRow[] rows = run(new ReferenceBackend(), study, new BitSet());
    double someDead = 0;
    for (TrialRow row : rows) {
      NetworkSpec network = study.cellOf(row.trial()).network();
      NumpyRandom stream = new NumpyRandom(study.seedOf(row.trial()));
      NotebookData.skip(20, stream);
      double[] weights = study.cellOf(row.trial()).initializer().draw(network, stream);
      double norm = Math.sqrt(Arrays.stream(weights, 0, 18).map(w -> w * w).sum());
      assertRelative("ratio", rate * row.gradientNormFirst() / norm, row.updateRatios()[0], 1e-3);
      Dataset data = NotebookData.draw(20, new NumpyRandom(5));
      int dead = 0;
      int saturated = 0;
      for (int unit = 0; unit < 6; unit++) {
        int active = 0;
        for (int sample = 0; sample < 20; sample++) {
          double sum = weights[ParameterLayout.of(network).bias(0).offset() + unit];
          for (int i = 0; i < 3; i++) {
            sum += weights[unit * 3 + i] * data.feature(sample, i);
          }
          active += sum > 0 ? 1 : 0;
          double sigmoid = 1 / (1 + Math.exp(-sum));
          saturated += sigmoid < 0.01 || sigmoid > 0.99 ? 1 : 0;
        }
        dead += active == 0 ? 1 : 0;
      }
      boolean relu = network.activation().key().equals("relu");
      assertEquals((float) (relu ? dead / 6.0 : saturated / 120.0), row.idle()[0]);
      someDead += relu ? 0 : row.idle()[0];
    }
    assertTrue(someDead > 0, "nothing was saturated: the test shows nothing");
  }

  @Test
  void stoppedStudyKeepsWhatIsFinished() {
    Study study = study(GRID);
    StudyRunner runner = new StudyRunner(new ReferenceBackend(), study);
    TrialRow[] rows = new TrialRow[study.trials()];
    BitSet done = new BitSet();
    assertFalse(runner.run(done, new Collector(rows, 10)));
    long finished = Arrays.stream(rows).filter(row -> row != null).count();
    assertTrue(finished >= 10 && finished < study.trials(), finished + " are finished");
    for (int i = 0; i < rows.length; i++) {
      done.set(i, rows[i] != null);
    }
    assertTrue(runner.run(done, new Collector(rows, Integer.MAX_VALUE)));
    assertEquals(Arrays.asList(lines(run(new ReferenceBackend(), study, new BitSet()))), Arrays.asList(lines(rows)));
  }

  @Test
  void failureInTrainingIsThrownAndNotTakenForAStop() {
    Study study = study(GRID);
    StudyRunner runner = new StudyRunner(new CpuBackend(CpuOptions.standard().withThreads(8), note -> { }), study);
    assertThrows(ArithmeticException.class, () -> runner.run(new BitSet(), new Collector(null, Integer.MAX_VALUE) {
      @Override
      public void finished(List<TrialRow> finished) {
        throw new ArithmeticException("a full disk, say");
      }
    }));
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "\"grid\": {\"depth\": [0], \"width\": [2]} | depth 0 must be at least 1",
    "\"grid\": {\"depth\": [], \"width\": [2]} | depth is empty",
    "\"grid\": {\"depth\": [1, 1], \"width\": [2]} | depth [1, 1] holds a value twice",
    "\"grid\": {\"depth\": [1]} | the key \"width\" is missing",
    "\"grid\": {\"depth\": [1], \"widht\": [2]} | unknown key \"widht\" (did you mean \"width\"?)",
    "\"grid\": {\"depth\": [1], \"width\": [2], \"activation\": [\"rleu\"]} | unknown activation \"rleu\" (did you mean \"relu\"?)",
    "\"grid\": {\"depth\": [1], \"width\": [2], \"learningRate\": [-1]} | learningRate -1.0 must be a finite number",
    "\"grid\": {\"depth\": [1], \"width\": [2], \"seeds\": 0} | seeds 0 must be at least 1",
    "\"grid\": {\"depth\": [1], \"width\": [2], \"seeds\": 1000001} | the study has 1,000,001 networks, but at most 1,000,000"})
  void whatIsNoGridIsRefusedWithItsPlace(String grid, String message) {
    String said = assertThrows(InvalidInputException.class, () -> study(grid)).getMessage();
    assertTrue(said.contains(message), said);
  }

  @Test
  void gridThatDoesNotFitTheMemoryIsRefusedWithItsNumbers() {
    Study study = study("\"grid\": {\"depth\": [1], \"width\": [4], \"seeds\": 100000}");
    StudyRunner runner = new StudyRunner(new ReferenceBackend(), study);
    String said = assertThrows(InvalidInputException.class, () -> StudyEstimate.requireFits(runner, 40_000_000)).getMessage();
    assertTrue(said.matches("100,000 networks in 1 cells need about \\d+ MB of memory, but Java may use 28 MB; set .*-Xmx1g.*"), said);
    StudyEstimate.requireFits(runner, 1L << 30);
  }

  /** Of eight in ten: R's binom.confint(8, 10, methods = "wilson"). */
  @Test
  void sharesHaveWilsonsInterval() {
    Proportion share = new Proportion(8, 10);
    assertRelative("low", 0.4901625, share.low(), 1e-6);
    assertRelative("high", 0.9433178, share.high(), 1e-6);
    assertEquals("80.0 % (49.0 to 94.3 %)", share.toString());
    assertFalse(share.isMost());
    assertTrue(new Proportion(9, 10).isMost());
    assertEquals("0.0 % (0.0 to 8.8 %)", new Proportion(0, 40).toString(), "not -0.0: the limits are between 0 and 1");
  }

  @Test
  void studyOfDepthJudgesTheFiveReflections() {
    Study study = Study.ofNetworks(StudySpecReader.parse(DepthStudy.NOTEBOOK).spec(), 3);
    List<Finding> findings = DepthStudy.findings(new StudyResult(study, new ReferenceBackend().device(), 0,
        run(new CpuBackend(CpuOptions.standard(), note -> { }), study, new BitSet())));
    assertEquals(5, findings.size());
    String sigmoid = findings.get(3).measured();
    assertTrue(sigmoid.matches("In the first step each sigmoid layer divides the gradient norm by [45]\\.\\d+ \\[.*"), sigmoid);
    assertTrue(findings.get(2).measured().startsWith("D sigmoid ends within 5 % of the best constant's loss (1.74) in 100.0 %"),
        findings.get(2).measured());
  }

  private static Study study(String keys) {
    return StudySpecReader.parse("{\"epochs\": 7, \"seed\": 5, \"data\": {\"samples\": 20}, \"lossAtEpochs\": [2]," + keys + "}")
        .gridStudy();
  }

  private static TrialRow[] run(Backend backend, Study study, BitSet done) {
    StudyRunner runner = new StudyRunner(backend, study);
    TrialRow[] rows = new TrialRow[study.trials()];
    assertTrue(runner.run(done, new Collector(rows, Integer.MAX_VALUE)));
    return rows;
  }

  /** As they go to the run file, but for the time. */
  private static String[] lines(TrialRow[] rows) {
    return Arrays.stream(rows)
        .map(row -> row == null ? "" : new TrialRow(row.trial(), row.diverged(), 0, row.finalLoss(), row.losses(), row.gradientNorms(),
            row.normCurve(), row.updateRatios(), row.idle()).line()).toArray(String[]::new);
  }

  private static class Collector implements StudyRunner.Listener {
    private final TrialRow[] rows;
    private final int stopAfter;
    private int finished;

    Collector(TrialRow[] rows, int stopAfter) {
      this.rows = rows;
      this.stopAfter = stopAfter;
    }

    @Override
    public boolean stopRequested() {
      return finished >= stopAfter;
    }

    @Override
    public void finished(List<TrialRow> piece) {
      for (TrialRow row : piece) {
        rows[row.trial()] = row;
      }
      finished += piece.size();
    }
  }
}
