package dev.plumb.study;

import static dev.plumb.golden.Close.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.backend.Backend;
import dev.plumb.backend.TrainingSession;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.data.TableReader;
import dev.plumb.model.Precision;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.Metric;
import dev.plumb.train.PreparedData;
import dev.plumb.train.Scores;
import dev.plumb.train.TablePredictor;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainConfigJson;
import dev.plumb.train.TrainListener;
import dev.plumb.train.Trainer;
import dev.plumb.train.TrainerState;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every trial of a study on a table is the training of one network alone, to the bit; every backend passes this. */
abstract class TableStudyContract {
  private static final Path TABLES = Path.of("src/test/resources/tables");

  abstract Backend open();

  abstract Precision precision();

  @ParameterizedTest
  @ValueSource(strings = {
    "{\"data\": {\"file\": \"wine.csv\", \"validation\": 0.3}, \"seed\": 7, \"epochs\": 7, \"earlyStopping\": 2, \"dropout\": 0.2,"
        + " \"schedule\": {\"type\": \"plateau\", \"patience\": 0}, \"watch\": \"auc\", \"classWeights\": \"balanced\", \"clipNorm\": 2, \"batchSize\": 24, \"grid\": {\"depth\": [1, 2],"
        + " \"width\": [5], \"activation\": [\"relu\"], \"learningRate\": [0.01, 0.2], \"seeds\": 3}}",
    "{\"data\": {\"file\": \"diabetes.csv\", \"validation\": 0.2}, \"seed\": 1, \"epochs\": 5, \"warmUpEpochs\": 2,"
        + " \"loss\": \"huber\", \"optimizer\": {\"type\": \"adamw\"}, \"schedule\": {\"type\": \"cosine\"}, \"batchSize\": 50,"
        + " \"networks\": [{\"name\": \"linear\", \"layers\": []}, {\"layers\": [7, 3], \"activation\": \"gelu\"}],"
        + " \"grid\": {\"depth\": [1], \"width\": [4], \"initializer\": [\"he_normal\", \"pytorch\"], \"seeds\": 2}}",
    "{\"data\": {\"file\": \"wine.csv\", \"validation\": 0.2, \"weight\": \"alcohol\"}, \"epochs\": 4, \"batchSize\": null,"
        + " \"classWeights\": {\"1\": 2.5}, \"grid\": {\"depth\": [1], \"width\": [3, 5], \"seeds\": 2}}",
    "{\"data\": {\"file\": \"wine.csv\", \"validation\": 0, \"features\": [\"alcohol\", \"hue\"]}, \"epochs\": 6, \"batchSize\": null,"
        + " \"loss\": \"binary_cross_entropy\", \"optimizer\": {\"type\": \"sgd\", \"momentum\": 0.9}, \"seeds\": 4}"})
  void trialsAreTheTrainingsOfTheirNetworksAlone(String spec) {
    TrainConfig defaults = TrainConfig.DEFAULT.with(changes -> changes.precision(precision()));
    TableStudySpec parsed = TableStudySpec.parse(spec, Optional.empty(), defaults);
    Table table = TableReader.read(TABLES.resolve(parsed.file()), ReadOptions.DEFAULT);
    Study study = TableStudySpec.parse(parsed.text(), Optional.empty(), TrainConfig.DEFAULT).study(TABLES);
    StudyData.Table data = study.table().orElseThrow();
    try (Backend backend = open()) {
      TrialRow[] rows = new StudyRunner(backend, study).run().rows();
      for (int trial : IntStream.range(0, rows.length).filter(i -> i % 3 == 0 || i == rows.length - 1).toArray()) {
        TrainConfig config = data.config(study.cellOf(trial), study.seedOf(trial));
        assertAlone(study, data, rows[trial], table, TrainConfigJson.parse(TrainConfigJson.difference(config)), backend);
      }
    }
  }

  private static void assertAlone(
      Study study, StudyData.Table data, TrialRow row, Table table, TrainConfig config, Backend backend) {
    String name = "trial " + row.trial();
    PreparedData prepared = PreparedData.of(table, config);
    TrainerState state;
    try (TrainingSession session = backend.open(prepared.network(), prepared.fit().training(), 1)) {
      Trainer trainer = new Trainer(session, prepared.fit(), prepared.view().training(), prepared.view().validation(),
          List.of(prepared.start()));
      trainer.run(TrainListener.NONE);
      state = trainer.states().get(0);
    }
    assertEquals(state.epochs(), (int) row.scores()[0], name);
    assertEquals(state.bestEpoch(), (int) row.scores()[1], name);
    for (int i = 0; i < study.curveEpochs().size(); i++) {
      int epoch = study.curveEpochs().get(i);
      double expected = epoch <= state.epochs() ? state.history().get(epoch - 1).trainLoss() : Double.NaN;
      assertEquals(expected, row.losses()[i], name + ", training loss of epoch " + epoch);
    }
    assertSameBits(name, state.history().get(state.epochs() - 1).gradientNorms(), row.gradientNorms());
    TrainedModel model = new TrainedModel(prepared.network(), prepared.view().loss(), config.precision(), prepared.view().encoding(),
        state.best(), new TreeMap<>());
    try (TablePredictor predictor = new TablePredictor(backend, model, config.precision())) {
      Scores scores = predictor.score(prepared.view().validationRows().orElse(prepared.view().trainingRows()),
          prepared.view().judged(), null);
      for (Metric metric : data.metrics()) {
        assertEquals(scores.value(metric), row.scores()[data.indexOf(metric)], name + ", " + metric.label());
      }
      assertEquals(predictor.score(prepared.view().trainingRows(), prepared.view().training(), null).loss(), row.scores()[2], name);
      assertEquals(scores.loss(), row.finalLoss(), name);
    }
    assertTrue(row.diverged() == 0, name);
  }
}
