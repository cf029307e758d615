"""Label maps: which class every pixel belongs to, and which object.

A label map is (H, W) int64, the number of a class at every pixel; an instance map is (H, W) int64, the number of an
object. An object's number says its class: below 1000 it *is* the class, of a region that is not counted ("stuff"); from
1000 on it is class times 1000 and a count (Cityscapes' convention).
"""

from ktviz.labels.classes import Classes as Classes
from ktviz.labels.instances import as_instances as as_instances
from ktviz.labels.instances import class_of as class_of
from ktviz.labels.maps import as_labels as as_labels
from ktviz.labels.maps import coloured as coloured
from ktviz.labels.maps import read_map as read_map
from ktviz.labels.maps import write_map as write_map
