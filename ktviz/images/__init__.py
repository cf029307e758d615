"""Images in and out: the one place that touches Pillow.

An image is a uint8 array (H, W, 3), sRGB. Whatever a camera, a scanner or a program makes of it is brought to that form
by `as_pixels`, or refused with a reason; docs/pictures.md has the table.
"""

from ktviz.images.convert import ImageLike as ImageLike
from ktviz.images.convert import as_pixels as as_pixels
from ktviz.images.files import decode as decode
from ktviz.images.files import decode_image as decode_image
from ktviz.images.files import encode_image as encode_image
from ktviz.images.files import file_digest as file_digest
from ktviz.images.files import image_size as image_size
from ktviz.images.files import read_image as read_image
from ktviz.images.files import stored_size as stored_size
from ktviz.images.files import write_image as write_image
from ktviz.images.finding import FoundImages as FoundImages
from ktviz.images.finding import check_names as check_names
from ktviz.images.finding import find_images as find_images
from ktviz.images.finding import shown as shown
from ktviz.images.finding import suffixes as suffixes
from ktviz.images.finding import summary as summary
from ktviz.images.pixels import MAX_SIDE as MAX_SIDE
from ktviz.images.pixels import MIN_SIDE as MIN_SIDE
from ktviz.images.pixels import Pixels as Pixels
from ktviz.images.pixels import check_size as check_size
from ktviz.images.pixels import pixel_digest as pixel_digest
from ktviz.images.pixels import resize as resize
from ktviz.images.pixels import resize_short_side as resize_short_side
from ktviz.images.pixels import scaled_size as scaled_size
from ktviz.images.pixels import shrink as shrink
from ktviz.images.pixels import to_pixels as to_pixels
from ktviz.images.pixels import to_tensor as to_tensor
