"""Published networks by their parameters: shown on the page networks.rst, and tested."""

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecgclf import ECGCNNClassifier

# network: plain deep CNN
plain_deep_cnn = ECGCNNClassifier(
    filters=(16, 16, 32, 32, 32, 32, 256, 256),
    kernel_size=(5, 5, 3, 3, 3, 3, 3, 3),
    stride=1,
    padding="valid",
    batch_norm=False,
    pool_size=(1, 2, 1, 2, 1, 2, 1, 1),
    pool_dropout=(0, 0.1, 0, 0.1, 0, 0.1, 0, 0.2),
    global_pool="max",
    dense=(64, 64),
    optimizer="adam",
    lr=1e-3,
    lr_schedule="plateau",  # a tenth of it after 3 epochs without improvement
    batch_size=32,
    max_epochs=1000,
    early_stopping=True,
    validation_fraction=0.1,
    n_iter_no_change=5,
)
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
    # Of the training nothing is noted; this is that of the plain deep CNN.
    optimizer="adam",
    lr=1e-3,
    lr_schedule="plateau",
    batch_size=32,
    max_epochs=1000,
    early_stopping=True,
    validation_fraction=0.1,
    n_iter_no_change=5,
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
        optimizer="adam",
        lr=4e-4,
        lr_schedule="constant",
        batch_size=32,
        max_epochs=15,
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
    # Batch size and number of epochs are not noted; these are choices.
    batch_size=32,
    max_epochs=10,
)
# end
