"""Opens a NetCDF file with each reader, and compares what they find. See `run`."""

import sys

import cf_units
import netCDF4
import numpy as np
import xarray
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIONetCDF import vtkNetCDFCFReader

path = sys.argv[1]
print(path.split("/", 3)[-1])

with netCDF4.Dataset(path) as data:
    names = [name for name in data.variables if name not in data.dimensions]
    expected = {name: np.ma.filled(data[name][:].astype(float), np.nan) for name in data.variables}
    for variable in data.variables.values():
        unit = getattr(variable, "units", None)
        assert unit is not None or hasattr(variable, "flag_masks"), variable.name
        if unit is not None:
            cf_units.Unit(unit)
    assert data.Conventions == "CF-1.8" and data.history
    dimensions = {name: data[name].dimensions for name in names}
print(f"  netCDF4: {len(expected)} variables; UDUNITS knows all units")

for engine in ["scipy", "netcdf4"]:
    with xarray.open_dataset(path, engine=engine) as data:
        for name, values in expected.items():
            assert np.array_equal(data[name].values.astype(float), values, equal_nan=True), name
        for name, axes in dimensions.items():
            coordinates = [axis for axis in axes if axis in expected]
            assert all(axis in data[name].coords for axis in coordinates), name
            if "u" in data and "position_x" in data:
                assert "position_x" in data["u"].coords and data["u"].units == "m s-1"
print("  xarray: the same values by scipy and netcdf4, with their coordinates")

reader = vtkNetCDFCFReader()
reader.SetFileName(path)
reader.SphericalCoordinatesOff()
reader.UpdateMetaData()
found = [reader.GetVariableArrayName(index) for index in range(reader.GetNumberOfVariableArrays())]
assert set(names) <= set(found), set(names) - set(found)
plane = next(name for name in ("dx", "u", "mean") if name in names)
for name in found:
    reader.SetVariableArrayStatus(name, int(dimensions.get(name) == dimensions[plane]))
reader.Update()
grid = reader.GetOutput()
cells, points = grid.GetCellData(), grid.GetPointData()
arrays = points if points.GetNumberOfArrays() else cells
values = vtk_to_numpy(arrays.GetArray(plane))
assert np.array_equal(values.astype(float), expected[plane].ravel(), equal_nan=True), plane
print(f"  vtkNetCDFCFReader (ParaView): {grid.GetClassName()}, {arrays.GetNumberOfArrays()} arrays, the same values")
