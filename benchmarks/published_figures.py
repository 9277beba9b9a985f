"""Published figures on the test rows of the Kaggle "heartbeat" set."""

#: Accuracy and macro-F1 of the networks of `published_networks.py` that have any.
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
