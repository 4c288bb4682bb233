"""Which objects are relatives: those that solve one problem otherwise."""

FAMILIES = (
    "optimizers: SGD MSAM LARS ScheduleFreeSGD ProximalSGD",
    "optimizers: Adam AdamW AdaBelief Yogi RAdam Nadam Adamax ADOPT AdEMAMix",
    "optimizers: Adagrad RMSprop Ftrl Adafactor",
    "optimizers: LAMB LARS NovoGrad",
    "optimizers: Lion MARS Adan",
    "optimizers: SAM SharpnessAwareModel MSAM",
    "optimizers: SOAP LBFGS fit_full_batch",
    "optimizers: DoG Prodigy HypergradientDescent ScheduleFreeAdamW",
    "optimizers: ScheduleFreeSGD ScheduleFreeAdamW ExponentialMovingAverage"
    " Lookahead; callbacks: WeightAveraging",
    "optimizers: ProximalSGD ProximalAdam; regularizers: L1 GroupLasso;"
    " constraints: SoftThreshold GroupSoftThreshold",
    "optimizers: Transformed AdaptiveGradientClipping CautiousMask"
    " GradientCentralization GradientNoise GradientNormalization GradientSign",
    "optimizers: layerwise_decay ParameterGroup; callbacks: GradualUnfreezing;"
    " regularizers: L2SP",
    "optimizers: GradientAccumulation LARS LAMB",
    "regularizers: L1 L2 ElasticNet; optimizers: AdamW",
    "regularizers: GroupLasso SparseGroupLasso; layers: L0",
    "regularizers: L2SP; callbacks: GradualUnfreezing",
    "regularizers: SpectralNorm SRIP; constraints: SpectralNormBall",
    "regularizers: ActivityL1 ActivityL2 KLSparsity",
    "regularizers: JacobianPenalty GradientPenalty VirtualAdversarial RDrop",
    "regularizers: ConfidencePenalty RDrop",
    "regularizers: MinDiff; diagnosis: GroupGap GroupMonitor",
    "layers: Dropout AlphaDropout GaussianDropout ConcreteDropout DropConnect"
    " MonteCarlo",
    "layers: SpatialDropout2D DropBlock2D; augmentation: RandomErasing",
    "layers: SpatialDropout1D DropBlock1D WordDropout VariationalDropout",
    "layers: SpatialDropout3D DropBlock3D",
    "layers: StochasticDepth Dropout",
    "layers: Zoneout VariationalDropout",
    "layers: GaussianNoise GaussianDropout EmbeddingNoise",
    "layers: BatchRenormalization GhostBatchNormalization"
    " WeightStandardization",
    "layers: Whitening RobustScaling",
    "layers: ManifoldMixup EmbeddingMixUp; augmentation: MixUp CutMix"
    " AudioMixUp",
    "layers: WordDropout EmbeddingCutoff; augmentation: TokenMasking"
    " TokenCutoff",
    "augmentation: MixUp CutMix Mosaic RandomMix",
    "augmentation: AudioMixUp AudioCutMix",
    "augmentation: RandAugment TrivialAugmentWide AutoAugment AugMix",
    "augmentation: RandomErasing GridMask; layers: DropBlock2D",
    "augmentation: RandomAffine RandomPerspective RandomElastic",
    "augmentation: RandomCrop RandomPadCrop RandomResizedCrop",
    "augmentation: RandomColor RandomGamma RandomGrayscale RandomAutoContrast",
    "augmentation: RandomGaussianBlur RandomMotionBlur RandomSharpness",
    "augmentation: RandomGaussianNoise RandomISONoise RandomSaltPepper",
    "augmentation: RandomPosterize RandomSolarize RandomInvert RandomEqualize"
    " RandomJPEG",
    "augmentation: RandomTimeStretch RandomPitchShift RandomSpeed"
    " RandomFrequencyWarp",
    "augmentation: RandomNoise RandomBackgroundNoise RandomShortNoises",
    "augmentation: SpecAugment RandomTimeMask RandomFrequencyWarp",
    "augmentation: RandomGain PeakNormalization LoudnessNormalization",
    "augmentation: RandomReverb RandomFilter RandomResample",
    "augmentation: RandomTanhDistortion RandomClipping RandomQuantize",
    "augmentation: RandomTimeShift RandomReverse RandomPolarity"
    " RandomAudioCrop",
    "augmentation: EasyDataAugmentation PunctuationInsertion WordSynonyms"
    " CharacterTypos",
    "augmentation: RandomWordDeletion RandomTokenDeletion; layers: WordDropout",
    "augmentation: RandomWordSwap RandomTokenSwap SentenceShuffle",
    "augmentation: RandomWordInsertion RandomTokenInsertion",
    "augmentation: WordSynonyms SynonymReplacement Thesaurus"
    " RandomTokenReplacement",
    "augmentation: RandomSpanCrop TokenCutoff TokenMasking",
    "augmentation: Compose Choice Apply RandomMix",
    "augmentation: Averaged; layers: MonteCarlo",
    "callbacks: EarlyStopping GeneralizationLoss ProgressQuotient"
    " SuccessiveIncreases GapThreshold ProgressThreshold",
    "callbacks: WeightAveraging EMA SWA LAWA SnapshotEnsemble",
    "callbacks: ReduceLROnPlateau LearningRateFinder LearningRateLogger",
    "callbacks: HyperparameterSchedule MomentumCycle; regularizers: Scheduled",
    "callbacks: GradientNormLogger RegularizationLogger LearningRateLogger",
    "augmentation: RandomChannelDrop RandomChannelShuffle RandomGrayscale",
    "augmentation: augment_dataset map_dataset visualize",
    "callbacks: find_learning_rate LearningRateFinder RangeTest",
    "schedules: OneCycle Cyclical; callbacks: MomentumCycle",
    "schedules: CosineDecay LinearToZero PolynomialDecay REX",
    "schedules: WarmupStableDecay InverseSquareRoot",
    "schedules: StepDecay ExponentialDecay TimeBasedDecay",
    "schedules: Warmup Join Repeat Scale Floor",
    "schedules: Join PiecewiseInterpolation StepDecay",
    "schedules: total_steps OneCycle CosineDecay LinearToZero",
    "tuning: BayesianOracle RandomOracle GridOracle",
    "tuning: CrossValidationTuner Nested TunableFit sweep",
    "tuning: choose choose_augmentation choose_dropout choose_optimizer"
    " choose_regularizer choose_schedule",
    "tuning: Range Options",
    "diagnosis: diagnose FitMonitor Diagnosis split write_report",
)


def relatives(name):
    """Names such as `"layers.Dropout"` of the relatives of one, in order."""
    found = []
    for family in FAMILIES:
        members = members_of(family)
        if name in members:
            found += [other for other in members if other != name]
    return list(dict.fromkeys(found))


def members_of(family):
    """The names of a family, each with its package."""
    return [
        f"{package}.{name}"
        for package, _, names in (
            part.strip().partition(": ") for part in family.split(";")
        )
        for name in names.split()
    ]
