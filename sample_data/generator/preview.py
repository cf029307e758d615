import sys,time
import numpy as np
from PIL import Image
from . import landscapes
from .colour import expose
import importlib
out=[]
for spec in sys.argv[1:]:
    mod,name=spec.split('.')
    m=importlib.import_module('.'+mod,__package__)
    t=time.time()
    im=getattr(m,name)((512,640),np.random.default_rng(3))
    print(name,round(time.time()-t,1),np.percentile(im,[1,50,99]).round(3))
    out.append(Image.fromarray((expose(im)*255).astype(np.uint8)))
S=Image.new('RGB',(1280,512*((len(out)+1)//2)))
for i,im in enumerate(out): S.paste(im,((i%2)*640,(i//2)*512))
S.save('/tmp/samples/scenes.png')
