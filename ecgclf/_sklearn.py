"""Base classes of scikit-learn, with the type hints of ``_sklearn.pyi``."""

from sklearn.base import BaseEstimator as BaseEstimator
from sklearn.base import ClassifierMixin as ClassifierMixin
from sklearn.base import ClassNamePrefixFeaturesOutMixin as ClassNamePrefixFeaturesOutMixin
from sklearn.base import OneToOneFeatureMixin as OneToOneFeatureMixin
from sklearn.base import OutlierMixin as OutlierMixin
from sklearn.base import TransformerMixin as TransformerMixin
from sklearn.base import _fit_context as _fit_context
