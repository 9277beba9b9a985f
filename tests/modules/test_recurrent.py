"""Recurrent encoders, compared with the layers of torch."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ecgclf.modules import ConvEncoder, ConvLayer, ConvRecurrentEncoder, RecurrentEncoder


@pytest.fixture
def beats() -> torch.Tensor:
    return torch.randn(5, 2, 40, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_stacked_layers_equal_torch(beats, cell, bidirectional):
    encoder = RecurrentEncoder(
        2, 40, (6, 6), cell=cell, bidirectional=bidirectional, mask_zeros=False, step_pool=None
    )
    kind = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[cell]
    reference = kind(2, 6, num_layers=2, batch_first=True, bidirectional=bidirectional)
    with torch.no_grad():
        for i, directions in enumerate(encoder.layers):
            for layer, suffix in zip(directions, ("", "_reverse")):
                for name, weight in layer.named_parameters():
                    getattr(reference, name.replace("l0", f"l{i}{suffix}")).copy_(weight)
    expected, state = reference(beats.transpose(1, 2))
    torch.testing.assert_close(encoder(beats), expected.flatten(1))
    final = (state[0] if cell == "lstm" else state)[-2 if bidirectional else -1 :]
    encoder.step_pool = "last"
    torch.testing.assert_close(encoder(beats), final.transpose(0, 1).flatten(1))


@pytest.mark.parametrize("pool", ["last", "mean", "max", "attention"])
@pytest.mark.parametrize("step_size", [1, 3])
def test_trailing_zeros_are_ignored(beats, pool, step_size):
    """A padded beat is encoded like the beat without padding."""
    encoder = RecurrentEncoder(
        2, 40, (6, 4), bidirectional=True, step_size=step_size, step_pool=pool
    )
    for length in (1, 10, 39):
        short = beats[:, :, :length]
        filled = torch.cat([short, torch.zeros(5, 2, 40 - length)], dim=2)
        torch.testing.assert_close(encoder(filled), encoder(short))
    mixed = beats.clone()
    mixed[0, :, 7:] = 0
    torch.testing.assert_close(encoder(mixed)[0], encoder(beats[:1, :, :7])[0])
    torch.testing.assert_close(encoder(mixed)[1:], encoder(beats)[1:])


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_masking_equals_packed_sequences(beats, cell):
    encoder = RecurrentEncoder(2, 40, (6,), cell=cell, bidirectional=True, step_pool=None)
    kind = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[cell]
    reference = kind(2, 6, batch_first=True, bidirectional=True)
    with torch.no_grad():
        for layer, suffix in zip(encoder.layers[0], ("", "_reverse")):
            for name, weight in layer.named_parameters():
                getattr(reference, f"{name}{suffix}").copy_(weight)
    lengths = torch.tensor([40, 3, 17, 1, 39])
    for beat, length in zip(beats, lengths):
        beat[:, length:] = 0
    packed = pack_padded_sequence(
        beats.transpose(1, 2), lengths, batch_first=True, enforce_sorted=False
    )
    output, state = reference(packed)
    padded, _ = pad_packed_sequence(output, batch_first=True, total_length=40)
    torch.testing.assert_close(encoder(beats), padded.flatten(1))
    encoder.step_pool = "last"
    final = state[0] if cell == "lstm" else state
    torch.testing.assert_close(encoder(beats), final.transpose(0, 1).flatten(1))


def test_trailing_zeros_without_masking(beats):
    encoder = RecurrentEncoder(2, 40, (6,), mask_zeros=False)
    filled = torch.cat([beats[:, :, :20], torch.zeros(5, 2, 20)], dim=2)
    assert (encoder(filled) - encoder(beats[:, :, :20])).abs().max() > 1e-3


def test_zeros_inside_a_beat_are_not_masked(beats):
    encoder = RecurrentEncoder(2, 40, (6,), step_pool="mean")
    gap = beats.clone()
    gap[:, :, 10:20] = 0
    without = torch.cat([beats[:, :, :10], beats[:, :, 20:]], dim=2)
    assert (encoder(gap) - encoder(without)).abs().max() > 1e-4


@pytest.mark.parametrize("pool", ["last", "mean", "max", "attention", None])
def test_beat_of_zeros(pool):
    encoder = RecurrentEncoder(1, 12, (3,), step_size=5, step_pool=pool)
    encoded = encoder(torch.zeros(2, 1, 12))
    assert encoded.shape == (2, encoder.out_features)
    assert torch.isfinite(encoded).all()


def test_step_pooling(beats):
    """The second beat has two of three steps."""
    encoder = RecurrentEncoder(2, 6, (4,), step_size=2, step_pool="attention")
    x = beats[:2, :, :6].clone()
    x[1, :, 4:] = 0
    steps, _ = encoder.layers[0][0](x.unflatten(2, (3, 2)).transpose(1, 2).flatten(2))
    scores = encoder.attention(steps).squeeze(2)
    expected = [
        (scores[i, :n].softmax(dim=0)[:, None] * steps[i, :n]).sum(dim=0)
        for i, n in enumerate((3, 2))
    ]
    torch.testing.assert_close(encoder(x), torch.stack(expected))
    encoder.step_pool = "mean"
    torch.testing.assert_close(encoder(x)[1], steps[1, :2].mean(dim=0))
    encoder.step_pool = "max"
    torch.testing.assert_close(encoder(x)[1], steps[1, :2].amax(dim=0))


def test_dense_layers_at_each_step(beats):
    convolutions = ConvEncoder(2, 40, [ConvLayer(3, pool_size=2, pool_stride=2)])
    recurrent = RecurrentEncoder(3, 20, (4,), mask_zeros=False, step_pool=None)
    encoder = ConvRecurrentEncoder(convolutions, recurrent, dense=(5,)).eval()
    assert encoder.out_features == 20 * 5
    steps = recurrent(convolutions.sequence(beats)).reshape(5, 20, 4)
    linear = encoder.step_layers[0]
    expected = [linear(steps[:, t]).relu() for t in range(20)]
    torch.testing.assert_close(encoder(beats), torch.cat(expected, dim=1))


@pytest.mark.parametrize("pool", ["last", "mean", "max", "attention", None])
def test_output_does_not_depend_on_other_beats_of_the_batch(pool):
    """The output is equal to the last bit, which packed sequences do not guarantee."""
    encoder = RecurrentEncoder(
        1, 60, (16,), bidirectional=True, step_size=2, step_pool=pool
    ).eval()
    generator = torch.Generator().manual_seed(0)
    beats = torch.randn(96, 1, 60, generator=generator)
    for beat, length in zip(beats, torch.randint(1, 61, (96,), generator=generator)):
        beat[:, length:] = 0
    with torch.no_grad():
        together = encoder(beats)
        apart = torch.cat([encoder(part) for part in beats.split(32)])
    assert torch.equal(together, apart)
