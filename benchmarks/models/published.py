"""Parameters and published figures of published networks. The page networks.rst shows them."""

from imblearn.combine import SMOTEENN
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_resampling_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.base import clone
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecgclf import (
    ECGAutoencoder,
    ECGCNNClassifier,
    ECGCRNNClassifier,
    ECGLSTMClassifier,
    ECGMLPClassifier,
    ECGResNetClassifier,
    ECGRNNClassifier,
    ECGSpectrogramClassifier,
    ECGTransferClassifier,
    ECGTransformerClassifier,
)
from ecgclf.estimators import EffectiveNumber
from ecgclf.transforms import FourierFeatures, Spectrogram

# network: training
adam = {"optimizer": "adam", "lr_schedule": "constant", "batch_size": 32, "max_epochs": 15}
adam_until_no_better = {
    "optimizer": "adam",
    "lr": 1e-3,
    "lr_schedule": "plateau",  # divided by 10 after 3 epochs without improvement
    "batch_size": 32,
    "max_epochs": 1000,
    "early_stopping": True,
    "validation_fraction": 0.1,
    "n_iter_no_change": 5,
}
# end

# network: plain deep CNN
plain_deep_layers = {
    "filters": (16, 16, 32, 32, 32, 32, 256, 256),
    "kernel_size": (5, 5, 3, 3, 3, 3, 3, 3),
    "stride": 1,
    "padding": "valid",
    "batch_norm": False,
    "pool_size": (1, 2, 1, 2, 1, 2, 1, 1),
    "pool_dropout": (0, 0.1, 0, 0.1, 0, 0.1, 0, 0.2),
    "global_pool": "max",
    "dense": (64, 64),
}
plain_deep_cnn = ECGCNNClassifier(**plain_deep_layers, **adam_until_no_better)
# end

# network: vanilla CNN
vanilla_cnn = ECGCNNClassifier(
    filters=(16, 16, 32, 32, 64, 64),
    kernel_size=5,
    stride=1,
    padding="valid",
    batch_norm=False,
    pool_size=(1, 2, 1, 2, 1, 1),
    pool_dropout=(0, 0, 0, 0, 0, 0.1),
    global_pool="max",
    dense=(512, 256),
    **adam_until_no_better,  # its own training is not published
)
# end

# network: small CNN with batch norm
small_cnn = make_pipeline(
    StandardScaler(),
    ECGCNNClassifier(
        filters=(64, 64, 64),
        kernel_size=(5, 3, 3),
        stride=1,
        batch_norm=True,
        conv_dropout=0.4,
        pool_size=2,
        global_pool=None,  # flatten
        dense=(64,),
        dense_dropout=0.4,
        **adam,
        lr=4e-4,
        class_weight="balanced",
    ),
)
# end

# network: wide-kernel CNN
wide_kernel_cnn = ECGCNNClassifier(
    filters=(32,) * 10,
    kernel_size=(40,) * 5 + (33,) * 2 + (25,) * 3,
    stride=1,
    batch_norm=False,
    pool_size=(1,) * 9 + (15,),
    pool_stride=(1,) * 9 + (10,),
    global_pool=None,
    dense=(32,),
    optimizer="adam",
    lr=1e-3,
    lr_schedule="constant",
    # Batch size and number of epochs are not published.
    batch_size=32,
    max_epochs=10,
)
# end

# network: residual CNN
residual_cnn = ECGResNetClassifier(
    block="pooled",
    filters=(32,) * 5,
    stride=2,
    pool_size=5,
    stem_filters=32,
    stem_kernel_size=5,
    stem_stride=1,
    squeeze_excite=False,
    global_pool=None,
    dense=(32, 32),
    optimizer="adam",
    lr=1e-3,
    lr_schedule="constant",
    # The paper lowers the rate by e^-0.75 every 10,000 steps. It gives no batch size or epochs.
    batch_size=128,
    max_epochs=10,
)
# end

# network: wide-kernel residual CNN
wide_kernel_residual_cnn = ECGResNetClassifier(
    filters=(32,) * 4,
    kernel_size=(40, 32, 24, 12),
    squeeze_excite=False,
    optimizer="adam",
    lr=1e-3,
    lr_schedule="constant",
    batch_size=32,
    max_epochs=10,
)
# end

# network: multilayer perceptron
multilayer_perceptron = ECGMLPClassifier(dense=(256,), **adam, lr=1e-3)
# end

# network: vanilla RNN
vanilla_rnn = ECGRNNClassifier(
    cell="rnn",
    units=(128,),
    bidirectional=False,
    step_size=1,
    step_pool="last",
    dense=(256, 128),
    dense_dropout=0.1,
    **adam,
    lr=1e-4,
)
# end

# network: LSTM stack
lstm_stack = ECGLSTMClassifier(
    units=(128, 64),
    bidirectional=False,
    step_size=1,
    recurrent_dropout=(0, 0.2),
    step_pool="last",
    dense=(64,),
    **adam,
    lr=1e-4,
)
# end

# network: GRU stack
gru_stack = ECGRNNClassifier(
    cell="gru",
    units=(128, 64),
    bidirectional=False,
    step_size=1,
    recurrent_dropout=(0, 0.2),
    step_pool="last",
    dense=(64,),
    **adam,
    lr=1e-4,
)
# end

# network: bidirectional LSTM
bidirectional_lstm = ECGLSTMClassifier(
    units=(128,),
    bidirectional=True,
    step_size=1,
    step_pool="last",
    dense=(256, 128),
    dense_dropout=0.1,
    **adam,
    lr=1e-4,
)
# end

# network: dilated CNN and bidirectional LSTM
dilated_cnn_lstm = ECGCRNNClassifier(
    filters=(200, 150, 100, 75),
    kernel_size=3,
    stride=1,
    dilation=2,
    padding="valid",
    batch_norm=False,
    pool_size=2,
    pool_dropout=0.05,
    units=(20,),
    bidirectional=True,
    step_pool=None,
    step_dense=(256, 128),
    step_dense_dropout=0.3,
    loss="focal",
    focal_gamma=2.0,
    **adam,
    lr=1e-3,
)
# end

# network: deep residual network
deep_residual_network = ECGResNetClassifier(
    block="bottleneck",
    filters=(64, 128, 256),
    n_blocks=44,  # 398 layers; n_blocks=1 gives 11 layers and trains in minutes on a CPU
    kernel_size=3,
    stem_filters=16,
    stem_kernel_size=7,
    stem_stride=1,
    squeeze_excite=False,
    global_pool="avg",
    optimizer="adam",
    lr=1e-3,
    lr_schedule="plateau",
    batch_size=32,
    max_epochs=30,
)
# end

# network: Fourier network
fourier_network = make_pipeline(
    FourierFeatures(), ECGCNNClassifier(**plain_deep_layers, **adam, lr=1e-3)
)
# end

# network: spectrogram network
spectrogram_network = make_pipeline(
    Spectrogram(fs=120, frame=32, hop=6, window=("tukey", 0.25)),
    ECGSpectrogramClassifier(max_epochs=15),
)
# end

# network: transformer
transformer = ECGTransformerClassifier(max_epochs=15)
# end

# network: autoencoder
autoencoder_codes = make_pipeline(
    ECGAutoencoder(max_epochs=15), LogisticRegression(max_iter=1000)
)
# end

# network: transfer
transfer_frozen = ECGTransferClassifier(
    # source=plain_deep_cnn, fitted
    strategy="frozen",
    dense=(256, 128),
    class_weight="balanced",
    **adam,
    lr=1e-3,
)
transfer_whole = ECGTransferClassifier(
    # source=deep_residual_network, fitted
    strategy="finetune",
    dense=(),
    class_weight="balanced",
    **adam,
    lr=1e-3,
)
# end

# network: ensembles
members = [
    ("cnn", ECGCNNClassifier(max_epochs=8)),
    ("resnet", ECGResNetClassifier(max_epochs=8)),
    ("mlp", clone(multilayer_perceptron)),
]
soft_vote = VotingClassifier(members, voting="soft")
hard_vote = VotingClassifier(members, voting="hard")
stacking = StackingClassifier(
    members,
    LogisticRegression(max_iter=1000),
    cv=StratifiedKFold(3, shuffle=True, random_state=0),  # the rows are in the order of records
)
# end

# network: class imbalance
balanced_weights = ECGCNNClassifier(class_weight="balanced")
effective_number_weights = ECGCNNClassifier(class_weight=EffectiveNumber(beta=0.999))
upsampled = make_resampling_pipeline(RandomOverSampler(random_state=0), ECGCNNClassifier())
smote_enn = make_resampling_pipeline(SMOTEENN(random_state=0), ECGCNNClassifier())
undersampled = make_resampling_pipeline(RandomUnderSampler(random_state=0), ECGCNNClassifier())
# end

#: Estimators ready to fit, named by their number in the documentation.
PUBLISHED = {
    "1 residual CNN (Kachuee et al. 2018)": residual_cnn,
    "2 plain deep CNN": plain_deep_cnn,
    "3 vanilla CNN": vanilla_cnn,
    "4 small CNN with batch norm": small_cnn,
    "5a wide-kernel CNN": wide_kernel_cnn,
    "5b wide-kernel residual CNN": wide_kernel_residual_cnn,
    "6 multilayer perceptron": multilayer_perceptron,
    "7 vanilla RNN": vanilla_rnn,
    "7 LSTM stack": lstm_stack,
    "7 GRU stack": gru_stack,
    "7 bidirectional LSTM": bidirectional_lstm,
    "8 dilated CNN and bidirectional LSTM": dilated_cnn_lstm,
    "9 deep residual network, 11 layers": clone(deep_residual_network).set_params(n_blocks=1),
    "10 Fourier network": fourier_network,
    "11 spectrogram network": spectrogram_network,
    "12 transformer": transformer,
    "13 autoencoder's codes, logistic regression": autoencoder_codes,
    "15 ensemble: soft vote": soft_vote,
    "15 ensemble: hard vote": hard_vote,
    "15 ensemble: stacking": stacking,
    "16 imbalance: balanced weights": balanced_weights,
    "16 imbalance: effective number": effective_number_weights,
    "16 imbalance: upsampled": upsampled,
    "16 imbalance: SMOTE and ENN": smote_enn,
    "16 imbalance: undersampled": undersampled,
} | {
    f"{kind.__name__} at its defaults": kind()
    for kind in (
        ECGCNNClassifier,
        ECGResNetClassifier,
        ECGCRNNClassifier,
        ECGLSTMClassifier,
        ECGMLPClassifier,
        ECGRNNClassifier,
        ECGTransformerClassifier,
    )
}

#: Transfer estimators, each with its source network.
TRANSFERS = {
    "14 transfer: plain deep CNN, frozen": (plain_deep_cnn, transfer_frozen),
    "14 transfer: deep residual network, whole": (
        clone(deep_residual_network).set_params(n_blocks=1),
        transfer_whole,
    ),
}

#: Published accuracy and macro-F1 on the Kaggle test rows.
PUBLISHED_FIGURES = {
    "1 residual CNN (Kachuee et al. 2018)": (0.934, None),
    "2 plain deep CNN": (0.9841, 0.912),
    "3 vanilla CNN": (0.9730, 0.862),
    "4 small CNN with batch norm": (0.9837, 0.918),  # on half of them
    "6 multilayer perceptron": (0.9794, 0.891),
    "7 vanilla RNN": (0.9608, 0.808),
    "7 bidirectional LSTM": (0.9837, 0.907),
    "8 dilated CNN and bidirectional LSTM": (0.9856, 0.915),
    "9 deep residual network, 11 layers": (0.9886, 0.932),  # of 398 layers
    "10 Fourier network": (0.9286, 0.714),
    "15 ensemble: soft vote": (0.9895, None),
    "15 ensemble: stacking": (0.9894, 0.936),
    "16 imbalance: SMOTE and ENN": (0.954, 0.817),
}
