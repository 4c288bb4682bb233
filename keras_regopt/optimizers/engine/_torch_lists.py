"""Operations of torch on lists of tensors, which have no public name.

Each is one call for all tensors of a list.
"""
# ruff: noqa: SLF001

import torch

added = torch._foreach_add
multiplied = torch._foreach_mul
signs = torch._foreach_sign
# These write to the tensors of the first list.
add = torch._foreach_add_
copy = torch._foreach_copy_
multiply = torch._foreach_mul_
# One flat tensor of all, and views of it in the shapes of some tensors.
flattened = torch._utils._flatten_dense_tensors
unflattened = torch._utils._unflatten_dense_tensors
