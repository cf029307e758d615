import sys, importlib, numpy as np
from PIL import Image
from functools import partial
from .colour import expose
from . import sky
out=[]
for spec in sys.argv[2:]:
    path,*vs=spec.split(':'); mod,name=path.split('.')[:2]; f=getattr(importlib.import_module('.'+mod,__package__),name)
    for v in vs:
        im=expose(f((256,320),np.random.default_rng(int(v)))); out.append(Image.fromarray((im*255).astype(np.uint8)))
S=Image.new('RGB',(1290,258*((len(out)+3)//4)))
for i,im in enumerate(out): S.paste(im,((i%4)*322,(i//4)*258))
S.save(sys.argv[1])
